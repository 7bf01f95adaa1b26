import { AwsError, notImplemented } from "../awsError.ts";
import { header, type S3Call } from "./call.ts";
import { invalidArgument } from "./errors.ts";
import type { ObjectRecord, Tag } from "./records.ts";
import { parseTaggingHeader } from "./tags.ts";

const META_PREFIX = "x-amz-meta-";
/** Names and values of all user metadata of one object. */
const MAX_META_BYTES = 2048;
const DEFAULT_CONTENT_TYPE = "binary/octet-stream";

/** Standard headers that S3 keeps and gives back as they came. */
const KEPT_HEADERS = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
] as const;

const STORAGE_CLASSES = new Set([
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER_IR",
]);
/** Classes from which nothing can be read without a restore. */
const ARCHIVE_CLASSES = new Set(["GLACIER", "DEEP_ARCHIVE"]);

/** What the headers of a write say about the object, beside its body. */
export interface ObjectMetadata {
  contentType?: string;
  headers?: Record<string, string>;
  meta?: Record<string, string>;
  tags?: Tag[];
  storageClass?: string;
}

/** Throws MetadataTooLarge, InvalidStorageClass, InvalidTag 400. */
export function metadataFromHeaders(call: S3Call): ObjectMetadata {
  const metadata = systemMetadata(call);
  const tags = parseTaggingHeader(header(call, "x-amz-tagging"));
  if (tags) metadata.tags = tags;
  const storageClass = requestedStorageClass(header(call, "x-amz-storage-class"));
  if (storageClass) metadata.storageClass = storageClass;
  return metadata;
}

function systemMetadata(call: S3Call): ObjectMetadata {
  const metadata: ObjectMetadata = { contentType: header(call, "content-type") || DEFAULT_CONTENT_TYPE };
  for (const name of KEPT_HEADERS) {
    const value = header(call, name);
    const kept = name === "content-encoding" && isStreaming(call) ? withoutAwsChunked(value) : value;
    if (kept !== undefined && kept !== "") {
      metadata.headers ??= {};
      metadata.headers[name] = kept;
    }
  }
  let bytes = 0;
  for (const name in call.request.headers) {
    if (!name.startsWith(META_PREFIX)) continue;
    const metaName = name.slice(META_PREFIX.length);
    const value = decodeMailWord(header(call, name)!);
    bytes += metaName.length + Buffer.byteLength(value);
    metadata.meta ??= {};
    metadata.meta[metaName] = value;
  }
  if (bytes > MAX_META_BYTES) {
    throw new AwsError("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", 400, {
      details: { Size: String(bytes), MaxSizeAllowed: String(MAX_META_BYTES) },
    });
  }
  return metadata;
}

const isStreaming = (call: S3Call) =>
  !call.caller.signature?.presigned && (header(call, "x-amz-content-sha256")?.startsWith("STREAMING-") ?? false);

/** What is left where the body came in chunks: elsewhere it is an encoding as any other. */
const withoutAwsChunked = (encoding: string | undefined) =>
  encoding?.replace(/(^|,\s*)aws-chunked\s*(?=,|$)/gi, "").replace(/^\s*,\s*/, "");

/** Undefined for STANDARD. */
export function requestedStorageClass(asked: string | undefined): string | undefined {
  if (asked === undefined || asked === "STANDARD") return undefined;
  if (ARCHIVE_CLASSES.has(asked)) throw notImplemented(`the S3 storage class ${asked}`);
  if (STORAGE_CLASSES.has(asked)) return asked;
  throw new AwsError("InvalidStorageClass", "The storage class you specified is not valid", 400, {
    details: { StorageClassRequested: asked },
  });
}

/** Query parameters by which a GET sets headers of its own response. */
const OVERRIDES: readonly [parameter: string, header: string][] = [
  ["response-content-type", "content-type"],
  ["response-content-language", "content-language"],
  ["response-expires", "expires"],
  ["response-cache-control", "cache-control"],
  ["response-content-disposition", "content-disposition"],
  ["response-content-encoding", "content-encoding"],
];

/** Throws InvalidRequest 400 when an anonymous caller tries. */
export function responseOverrides(call: S3Call): Record<string, string> {
  const overrides: Record<string, string> = {};
  if (call.request.rawQuery === "") return overrides;
  for (const [parameter, name] of OVERRIDES) {
    const value = call.query.get(parameter);
    if (value === null) continue;
    if (call.caller.kind === "anonymous") {
      throw new AwsError(
        "InvalidRequest",
        "Request specific response headers cannot be used for anonymous GET requests.",
      );
    }
    if (/[\r\n\0]/.test(value)) throw invalidArgument("Header value contains forbidden characters", parameter, value);
    if (!isLatin1(value)) {
      throw invalidArgument("Header value cannot be represented using ISO-8859-1.", parameter, value);
    }
    overrides[name] = value;
  }
  return overrides;
}

/** Headers by which GET, HEAD and 304 describe a version. */
export function objectHeaders(record: ObjectRecord, isVersioned: boolean): Record<string, string | number> {
  const headers: Record<string, string | number> = {
    "last-modified": new Date(record.modified).toUTCString(),
    etag: `"${record.etag}"`,
    "accept-ranges": "bytes",
    "content-type": toWire(record.contentType ?? DEFAULT_CONTENT_TYPE),
    "x-amz-server-side-encryption": "AES256",
  };
  for (const name in record.headers) headers[name] = toWire(record.headers[name]!);
  if (isVersioned) headers["x-amz-version-id"] = record.versionId;
  if (record.storageClass) headers["x-amz-storage-class"] = record.storageClass;
  if (record.tags) headers["x-amz-tagging-count"] = record.tags.length;
  for (const name in record.meta) {
    headers[`${META_PREFIX}${name}`] = encodeMailWord(record.meta[name]!);
  }
  return headers;
}

const isLatin1 = (text: string) => /^[\0-\xff]*$/.test(text);

/** A header's characters stand for bytes. A form's field may have others: they go out as the bytes that came in, UTF-8. */
const toWire = (text: string) => (isLatin1(text) ? text : Buffer.from(text, "utf8").toString("latin1"));

/** Beyond ASCII, S3 reads metadata bytes as Latin-1 and gives them back as an RFC 2047 word. */
const encodeMailWord = (value: string) =>
  /^[\x20-\x7e\t]*$/.test(value) ? value : `=?UTF-8?B?${Buffer.from(value, "utf8").toString("base64")}?=`;

function decodeMailWord(value: string): string {
  const word = /^=\?UTF-8\?B\?([A-Za-z0-9+/=]*)\?=$/i.exec(value.trim());
  return word ? Buffer.from(word[1]!, "base64").toString("utf8") : value;
}
