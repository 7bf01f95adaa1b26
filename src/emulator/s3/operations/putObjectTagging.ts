import { receiveDocument } from "../bodies/receive.ts";
import type { Operation } from "../call.ts";
import { changeTags } from "../objectTagging.ts";
import { parseTagging } from "../tags.ts";

/** Replaces the whole tag set. Throws InvalidTag, MalformedXML 400. Emits s3:ObjectTagging:Put. */
export const putObjectTagging: Operation = async (context, call) => {
  const body = await receiveDocument(call, 160 * 1024);
  const headers = changeTags(context, call, "s3:PutObjectTagging", parseTagging(body, "object"));
  return { status: 200, headers };
};
