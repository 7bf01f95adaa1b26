import { accessSync, constants, statSync } from "node:fs";
import { AwsError } from "../../awsError.ts";
import type { S3Context } from "../call.ts";
import type { ByteRange } from "../range.ts";
import type { ObjectRecord } from "../records.ts";
import { cut, segmentsOf } from "./reader.ts";

/**
 * Makes sure, before an answer begins, that the files with these bytes of an object are there, whole and readable:
 * what is found out later can only break the answer off.
 *
 * range    bytes of the object; all of them when left out
 * Throws   InternalError 500 that names the object and the file; the endpoint's stderr says so too
 */
export function requireBody(
  context: S3Context,
  object: { bucket: string; key: string; record: ObjectRecord },
  { start, end }: ByteRange = { start: 0, end: object.record.size },
): void {
  const { bucket, key, record } = object;
  if (!record.body || "inline" in record.body) return;
  for (const { blob, offset, size } of cut(segmentsOf(context.store, record.body, record.size), start, end)) {
    const path = context.store.blobs.path(blob);
    const fault = faultOf(path, offset + size);
    if (!fault) continue;
    const version = record.versionId === "null" ? "" : ` (version ${record.versionId})`;
    const message = `The object s3://${bucket}/${key}${version} cannot be read: its file ${path} ${fault}. Put the file back from a copy, or write the object again.`;
    context.settings.report(message);
    throw new AwsError("InternalError", message, 500);
  }
}

function faultOf(path: string, bytes: number): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return "is missing";
  if (stats.size < bytes) return `has ${stats.size} bytes where at least ${bytes} were written`;
  try {
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return `cannot be opened (${(error as Error).message})`;
  }
}
