import { AwsError } from "../awsError.ts";
import type { EmulatorReply } from "../http.ts";
import { checkExpectedOwner, mayKnowOfKeys, objectArn, requireAccess } from "./access.ts";
import { requireBody } from "./bodies/requireBody.ts";
import { header, type S3Call, type S3Context } from "./call.ts";
import { checksumHeader } from "./checksums.ts";
import { type Conditions, existingTags } from "./conditionKeys.ts";
import { checkReadConditions } from "./conditions.ts";
import { accessDenied, invalidArgument, invalidRequest, methodNotAllowed, noSuchKey, noSuchVersion } from "./errors.ts";
import { expirationHeader } from "./lifecycle/expiry.ts";
import { objectHeaders, responseOverrides } from "./metadata.ts";
import { type ByteRange, parseRange } from "./range.ts";
import type { BucketRecord, Layout, ObjectRecord } from "./records.ts";
import { sequenceOfVersion } from "./store.ts";

export interface Found {
  bucket: BucketRecord;
  record: ObjectRecord;
  /** The request named the version. */
  versionId?: string;
}

/** The version that `versionId` names. Throws InvalidArgument 400 for what can be no version id. */
export function requestedVersion(call: S3Call): string | undefined {
  if (call.request.rawQuery === "") return undefined;
  const versionId = call.query.get("versionId");
  if (versionId === null) return undefined;
  if (versionId === "") throw invalidArgument("Version id cannot be the empty string", "versionId", "");
  checkVersionId(versionId);
  return versionId;
}

export function checkVersionId(versionId: string, argument = "versionId"): void {
  if (versionId !== "null" && sequenceOfVersion(versionId) === undefined) {
    throw invalidArgument("Invalid version id specified", argument, versionId);
  }
}

/** Throws InvalidArgument 400 for a request that names a version where it makes a new one. */
export function refuseVersion(call: S3Call): void {
  if (call.request.rawQuery === "") return;
  const versionId = call.query.get("versionId");
  if (versionId === null) return;
  throw invalidArgument("This operation does not accept a version-id.", "versionId", versionId);
}

/**
 * The object, or the version, of the request, once `action` on it is allowed; "Version" is added to the action where one is named.
 * Throws NoSuchBucket, NoSuchKey, NoSuchVersion 404, AccessDenied 403, MethodNotAllowed 405 for a delete marker.
 */
export function findObject(context: S3Context, call: S3Call, action: string, conditions?: Conditions): Found {
  const bucket = context.store.getBucket(call.bucket);
  checkExpectedOwner(context, header(call, "x-amz-expected-bucket-owner"));
  const versionId = requestedVersion(call);
  const record =
    versionId === undefined
      ? context.store.findLatest(call.bucket, call.key)
      : context.store.findVersion(call.bucket, call.key, versionId);
  requireAccess(context, call, versionedAction(action, versionId), objectArn(call.bucket, call.key), bucket, {
    ...conditions,
    ...(record?.tags && existingTags(record)),
    ...(versionId !== undefined && { "s3:VersionId": versionId }),
  });
  if (record && !record.marker) return { bucket, record, versionId };
  const refusal = mayKnowOfKeys(context, call, bucket);
  if (refusal !== undefined) throw accessDenied(refusal);
  if (!record) throw versionId === undefined ? noSuchKey(call.key) : noSuchVersion(call.key, versionId);
  const markerHeaders = { "x-amz-delete-marker": "true", "x-amz-version-id": record.versionId };
  if (versionId === undefined) throw noSuchKey(call.key, markerHeaders);
  throw methodNotAllowed(call.request.method, "DeleteMarker", {
    ...markerHeaders,
    allow: "DELETE",
    "last-modified": new Date(record.modified).toUTCString(),
  });
}

/** The header by which answers about one version name it. */
export const versionHeader = ({ versioning }: BucketRecord, { versionId }: ObjectRecord): Record<string, string> =>
  versioning ? { "x-amz-version-id": versionId } : {};

/** "s3:GetObjectTagging" becomes "s3:GetObjectVersionTagging". */
export function versionedAction(action: string, versionId: string | undefined): string {
  return versionId === undefined ? action : action.replace("Object", "ObjectVersion");
}

/** What GetObject and HeadObject have in common: all but the body. */
export function describeObject(
  context: S3Context,
  call: S3Call,
): { reply: EmulatorReply; body?: { record: ObjectRecord; range: ByteRange; isVerified: boolean } } {
  const { bucket, record } = findObject(context, call, "s3:GetObject");
  const headers = objectHeaders(record, bucket.versioning !== undefined);
  const unmodified = checkReadConditions(call, record, context.settings.now(), headers);
  if (unmodified) return { reply: unmodified };
  const partNumber = requestedPart(call);
  const part = partNumber === undefined ? undefined : partRange(context, record, partNumber);
  const range = part ?? parseRange(header(call, "range"), record.size);
  const { start, end } = range ?? { start: 0, end: record.size };
  headers["content-length"] = end - start;
  if (range && record.size > 0) headers["content-range"] = `bytes ${start}-${end - 1}/${record.size}`;
  if (part && record.partsCount) headers["x-amz-mp-parts-count"] = record.partsCount;
  const isVerified = wantsChecksum(call);
  if (isVerified && record.checksum) {
    const { algorithm, type, value } = record.checksum;
    // Of an object with a composite checksum each part has its own, which is not the one of a whole of one part either.
    const shown = (type === "COMPOSITE" && part?.checksum) || (start === 0 && end === record.size ? value : undefined);
    if (shown !== undefined) {
      headers[checksumHeader(algorithm)] = shown;
      headers["x-amz-checksum-type"] = type;
    }
  }
  requireBody(context, { bucket: call.bucket, key: call.key, record }, { start, end });
  if (bucket.lifecycle) Object.assign(headers, expirationHeader(bucket, call.key, record));
  Object.assign(headers, responseOverrides(call));
  return {
    reply: { status: range ? 206 : 200, headers },
    body: { record, range: { start, end }, isVerified },
  };
}

/** Throws InvalidRequest 400. */
function wantsChecksum(call: S3Call): boolean {
  const mode = header(call, "x-amz-checksum-mode");
  if (mode === undefined) return false;
  if (mode.toUpperCase() !== "ENABLED") throw invalidRequest("Value for x-amz-checksum-mode header is invalid.");
  return true;
}

/** Throws InvalidRequest, InvalidArgument 400. */
function requestedPart(call: S3Call): number | undefined {
  if (call.request.rawQuery === "") return undefined;
  const text = call.query.get("partNumber");
  if (text === null) return undefined;
  if (header(call, "range") !== undefined) {
    throw invalidRequest("Cannot specify both Range header and partNumber query parameter");
  }
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number < 1 || number > 10_000) {
    throw invalidArgument("Part number must be an integer between 1 and 10000, inclusive", "partNumber", text);
  }
  return number;
}

/** Throws InvalidPartNumber 416. An object of one piece is its own part 1. */
function partRange(context: S3Context, record: ObjectRecord, number: number): ByteRange & { checksum?: string } {
  const layout = record.body && "layout" in record.body ? context.store.layout(record.body.layout) : undefined;
  const parts: Layout["parts"] = layout?.parts ?? [{ number: 1, size: record.size }];
  let start = 0;
  for (const part of parts.slice(0, number - 1)) start += part.size;
  const part = parts[number - 1];
  if (!part) {
    throw new AwsError("InvalidPartNumber", "The requested partnumber is not satisfiable", 416, {
      details: { PartNumberRequested: String(number), ActualPartCount: String(parts.length) },
    });
  }
  return { start, end: start + part.size, checksum: part.checksum };
}
