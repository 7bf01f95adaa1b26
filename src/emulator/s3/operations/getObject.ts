import { readBody } from "../bodies/reader.ts";
import type { Operation } from "../call.ts";
import { describeObject } from "../reads.ts";

/**
 * The object's bytes, from the database at once or streamed from files.
 *
 * Throws   NoSuchKey, NoSuchVersion 404, AccessDenied 403, MethodNotAllowed 405, PreconditionFailed 412, InvalidRange 416
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export const getObject: Operation = (context, call) => {
  const { reply, body } = describeObject(context, call);
  if (body) reply.body = readBody(context.store, body.record, { ...body.range, isVerified: body.isVerified });
  return reply;
};
