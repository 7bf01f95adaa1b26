import type { EmulatorReply } from "../http.ts";
import { header, type S3Call } from "./call.ts";
import { conditionalConflict, headerNotImplemented, noSuchKey, preconditionFailed } from "./errors.ts";
import type { ObjectRecord } from "./records.ts";

const unquote = (etag: string) =>
  etag
    .trim()
    .replace(/^W\//, "")
    .replace(/^"(.*)"$/, "$1");

const wholeSeconds = (ms: number) => Math.floor(ms / 1000) * 1000;

/** Undefined for what is no date. */
function parseDate(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

function matches(list: string, etag: string): boolean {
  return list.split(",").some((one) => one.trim() === "*" || unquote(one) === etag);
}

/** Which header's condition on reading `record` fails; If-Match outranks If-Unmodified-Since, If-None-Match If-Modified-Since (RFC 9110). */
function failedReadCondition(
  ask: (name: string) => string | undefined,
  record: ObjectRecord,
  now: number,
): "If-Match" | "If-Unmodified-Since" | "If-None-Match" | "If-Modified-Since" | undefined {
  const modified = wholeSeconds(record.modified);
  const ifMatch = ask("if-match");
  const ifNoneMatch = ask("if-none-match");
  const unmodifiedSince = parseDate(ask("if-unmodified-since"));
  const modifiedSince = parseDate(ask("if-modified-since"));
  if (ifMatch !== undefined && !matches(ifMatch, record.etag)) return "If-Match";
  if (ifMatch === undefined && unmodifiedSince !== undefined && modified > unmodifiedSince) {
    return "If-Unmodified-Since";
  }
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, record.etag)) return "If-None-Match";
  // A date in the future is ignored.
  if (ifNoneMatch === undefined && modifiedSince !== undefined && modifiedSince <= now && modified <= modifiedSince) {
    return "If-Modified-Since";
  }
  return undefined;
}

/** Throws PreconditionFailed 412; returns the 304 of a GET or HEAD whose client has the object already. */
export function checkReadConditions(
  call: S3Call,
  record: ObjectRecord,
  now: number,
  headers: Record<string, string | number>,
): EmulatorReply | undefined {
  const failed = failedReadCondition((name) => header(call, name), record, now);
  if (failed === undefined) return undefined;
  if (failed === "If-Match" || failed === "If-Unmodified-Since") throw preconditionFailed(failed);
  const { etag, "last-modified": lastModified, "x-amz-version-id": versionId } = headers;
  return {
    status: 304,
    headers: {
      etag: etag!,
      "last-modified": lastModified!,
      ...(versionId === undefined ? {} : { "x-amz-version-id": versionId }),
    },
  };
}

/** Throws PreconditionFailed 412 for a condition on the source of a copy. */
export function checkCopySourceConditions(call: S3Call, source: ObjectRecord, now: number): void {
  const failed = failedReadCondition((name) => header(call, `x-amz-copy-source-${name}`), source, now);
  if (failed !== undefined) throw preconditionFailed(`x-amz-copy-source-${failed}`);
}

/** What a write demands of the object that it would replace. */
export type WriteCondition = { ifAbsent: true } | { ifPresent: true } | { ifMatch: string };

/** Throws NotImplemented 501 for the forms that S3 does not take. */
export function writeCondition(call: S3Call): WriteCondition | undefined {
  const ifNoneMatch = header(call, "if-none-match");
  const ifMatch = header(call, "if-match");
  if (ifNoneMatch === undefined && ifMatch === undefined) return undefined;
  if (ifNoneMatch !== undefined && ifMatch !== undefined) {
    throw headerNotImplemented("If-Match,If-None-Match", "Multiple conditional request headers present in the request");
  }
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() !== "*") {
      throw headerNotImplemented(
        "If-None-Match",
        "We don't accept the provided value of If-None-Match header for this API",
      );
    }
    return { ifAbsent: true };
  }
  if (ifMatch!.trim() === "*") {
    throw headerNotImplemented("If-Match", "We don't accept the provided value of If-Match header for this API");
  }
  return { ifMatch: unquote(ifMatch!) };
}

/** What a delete demands of the object: this ETag, or any with `*`. Throws NotImplemented 501 for If-None-Match. */
export function deleteCondition(call: S3Call): WriteCondition | undefined {
  if (header(call, "if-none-match") !== undefined) throw headerNotImplemented("If-None-Match");
  const ifMatch = header(call, "if-match");
  return ifMatch === undefined ? undefined : parseIfMatch(ifMatch);
}

export const parseIfMatch = (text: string): WriteCondition =>
  text.trim() === "*" ? { ifPresent: true } : { ifMatch: unquote(text) };

/**
 * Checks the condition against the latest version, in the transaction of the write.
 * Throws PreconditionFailed 412, NoSuchKey 404.
 */
export function checkWriteCondition(
  condition: WriteCondition | undefined,
  key: string,
  latest: ObjectRecord | undefined,
): void {
  if (!condition) return;
  const present = latest !== undefined && !latest.marker;
  if ("ifAbsent" in condition) {
    if (present) throw preconditionFailed("If-None-Match");
  } else if (!present) throw noSuchKey(key);
  else if ("ifMatch" in condition && latest.etag !== condition.ifMatch) throw preconditionFailed("If-Match");
}

/**
 * The same for the completion of a multipart upload, which also conflicts with what happened to the key since the upload was made.
 * Throws ConditionalRequestConflict 409 too.
 */
export function checkCompleteCondition(
  condition: WriteCondition | undefined,
  key: string,
  latest: ObjectRecord | undefined,
  upload: { seq: number; keyDeletedSince?: true },
): void {
  checkWriteCondition(condition, key, latest);
  if (!condition) return;
  if ("ifAbsent" in condition) {
    if (upload.keyDeletedSince) throw conditionalConflict("If-None-Match", key);
  } else if (latest!.seq > upload.seq) throw conditionalConflict("If-Match", key);
}
