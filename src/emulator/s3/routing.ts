import { AwsError, notImplemented } from "../awsError.ts";
import type { EmulatorRequest } from "../http.ts";
import { invalidArgument, methodNotAllowed } from "./errors.ts";
import { REFUSED_BUCKET_OPERATIONS, REFUSED_OBJECT_OPERATIONS, refusedOperation } from "./refusedOperations.ts";

/** Bucket and key of a request; "" where there is none. Throws InvalidURI, KeyTooLongError 400. */
export function addressOf(request: Pick<EmulatorRequest, "path" | "host">): { bucket: string; key: string } {
  const hosted = bucketOfHost(request.host);
  if (hosted !== undefined) return { bucket: hosted, key: decodeKey(request.path.slice(1)) };
  const slash = request.path.indexOf("/", 1);
  if (slash < 0) return { bucket: decodePath(request.path.slice(1)), key: "" };
  return { bucket: decodePath(request.path.slice(1, slash)), key: decodeKey(request.path.slice(slash + 1)) };
}

/** `bucket.localhost`, `bucket.s3.localhost`, `bucket.s3.us-east-1.localhost`, each with an optional port. */
function bucketOfHost(host: string): string | undefined {
  if (!host.includes(".localhost")) return undefined;
  const name = host.replace(/\.localhost(:\d+)?$/, "").replace(/(^|\.)s3(\.[a-z]{2}(-[a-z]+)+-\d)?$/, "");
  return name === "" ? undefined : name;
}

function decodePath(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError("InvalidURI", "Couldn't parse the specified URI.", 400, { details: { URI: text } });
  }
}

const MAX_KEY_BYTES = 1024;

function decodeKey(text: string): string {
  const key = decodePath(text);
  if (key.length > MAX_KEY_BYTES / 4) checkKeyLength(key);
  return key;
}

/** Throws KeyTooLongError 400. */
export function checkKeyLength(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > MAX_KEY_BYTES) {
    throw new AwsError("KeyTooLongError", "Your key is too long", 400, {
      details: { Size: String(bytes), MaxSizeAllowed: String(MAX_KEY_BYTES) },
    });
  }
}

type Methods<Name> = Partial<Record<"GET" | "HEAD" | "PUT" | "POST" | "DELETE", Name>>;

/** Operations on a bucket by sub-resource; "" is the bucket itself. */
const BUCKET_OPERATIONS = {
  "": { GET: "ListObjects", HEAD: "HeadBucket", PUT: "CreateBucket", DELETE: "DeleteBucket", POST: "PostObject" },
  accelerate: { GET: "GetBucketAccelerateConfiguration", PUT: "PutBucketAccelerateConfiguration" },
  acl: { GET: "GetBucketAcl", PUT: "PutBucketAcl" },
  cors: { GET: "GetBucketCors", PUT: "PutBucketCors", DELETE: "DeleteBucketCors" },
  delete: { POST: "DeleteObjects" },
  encryption: { GET: "GetBucketEncryption", PUT: "PutBucketEncryption", DELETE: "DeleteBucketEncryption" },
  lifecycle: {
    GET: "GetBucketLifecycleConfiguration",
    PUT: "PutBucketLifecycleConfiguration",
    DELETE: "DeleteBucketLifecycle",
  },
  location: { GET: "GetBucketLocation" },
  logging: { GET: "GetBucketLogging", PUT: "PutBucketLogging" },
  notification: { GET: "GetBucketNotificationConfiguration", PUT: "PutBucketNotificationConfiguration" },
  "object-lock": { GET: "GetObjectLockConfiguration", PUT: "PutObjectLockConfiguration" },
  ownershipControls: {
    GET: "GetBucketOwnershipControls",
    PUT: "PutBucketOwnershipControls",
    DELETE: "DeleteBucketOwnershipControls",
  },
  policy: { GET: "GetBucketPolicy", PUT: "PutBucketPolicy", DELETE: "DeleteBucketPolicy" },
  policyStatus: { GET: "GetBucketPolicyStatus" },
  publicAccessBlock: {
    GET: "GetPublicAccessBlock",
    PUT: "PutPublicAccessBlock",
    DELETE: "DeletePublicAccessBlock",
  },
  replication: { GET: "GetBucketReplication", PUT: "PutBucketReplication", DELETE: "DeleteBucketReplication" },
  requestPayment: { GET: "GetBucketRequestPayment", PUT: "PutBucketRequestPayment" },
  tagging: { GET: "GetBucketTagging", PUT: "PutBucketTagging", DELETE: "DeleteBucketTagging" },
  uploads: { GET: "ListMultipartUploads" },
  versioning: { GET: "GetBucketVersioning", PUT: "PutBucketVersioning" },
  versions: { GET: "ListObjectVersions" },
  website: { GET: "GetBucketWebsite", PUT: "PutBucketWebsite", DELETE: "DeleteBucketWebsite" },
} as const satisfies Record<string, Methods<string>>;

/** Operations on an object by sub-resource; "" is the object itself. */
const OBJECT_OPERATIONS = {
  "": { GET: "GetObject", HEAD: "HeadObject", PUT: "PutObject", DELETE: "DeleteObject" },
  acl: { GET: "GetObjectAcl", PUT: "PutObjectAcl" },
  attributes: { GET: "GetObjectAttributes" },
  tagging: { GET: "GetObjectTagging", PUT: "PutObjectTagging", DELETE: "DeleteObjectTagging" },
  uploads: { POST: "CreateMultipartUpload" },
  uploadId: {
    GET: "ListParts",
    PUT: "UploadPart",
    POST: "CompleteMultipartUpload",
    DELETE: "AbortMultipartUpload",
  },
} as const satisfies Record<string, Methods<string>>;

/** Operations told apart by something else than method and sub-resource. */
const FURTHER_OPERATIONS = ["ListBuckets", "ListObjectsV2", "CopyObject", "UploadPartCopy"] as const;

type ValuesOf<T> = T[keyof T];
type NamesIn<Table> = ValuesOf<{ [Sub in keyof Table]: ValuesOf<Table[Sub]> }>;
export type S3Operation =
  | NamesIn<typeof BUCKET_OPERATIONS>
  | NamesIn<typeof OBJECT_OPERATIONS>
  | (typeof FURTHER_OPERATIONS)[number];

/** Throws MethodNotAllowed 405, and NotImplemented 501 by name. */
export function operationOf(request: EmulatorRequest, bucket: string, key: string): S3Operation {
  const { method } = request;
  if (bucket === "") {
    if (method === "GET") return "ListBuckets";
    throw methodNotAllowed(method, "SERVICE");
  }
  if (method === "OPTIONS") throw notImplemented("CORS preflight requests (s3)");
  const isBucket = key === "";
  const table: Record<string, Methods<S3Operation>> = isBucket ? BUCKET_OPERATIONS : OBJECT_OPERATIONS;
  const sub = request.rawQuery === "" ? "" : subresourceOf(request, isBucket);
  const operation = table[sub]?.[method as "GET"];
  if (operation === undefined) throw methodNotAllowed(method, isBucket ? "BUCKET" : "OBJECT");
  const isCopy = method === "PUT" && request.headers["x-amz-copy-source"] !== undefined;
  if (method === "PUT" && key !== "" && request.rawQuery !== "") checkPartQuery(request.query);
  if (operation === "PutObject" && isCopy) return "CopyObject";
  if (operation === "UploadPart" && isCopy) return "UploadPartCopy";
  if (operation === "ListObjects" && request.rawQuery !== "" && request.query.get("list-type") === "2") {
    return "ListObjectsV2";
  }
  return operation;
}

/** Throws InvalidArgument 400, MethodNotAllowed 405 for a part without an upload, and the other way round. */
function checkPartQuery(query: URLSearchParams): void {
  if (query.has("partNumber") && !query.get("uploadId")) {
    throw invalidArgument("This operation does not accept partNumber without uploadId", "partNumber", "partNumber");
  }
  if (query.has("uploadId") && !query.has("partNumber")) {
    throw methodNotAllowed("PUT", "MULTIPART_UPLOAD", { allow: "DELETE, POST, GET" });
  }
}

/** Throws InvalidArgument 400 for two sub-resources, NotImplemented 501 by name, MethodNotAllowed 405 for a change of what has no such one. */
function subresourceOf({ method, query }: EmulatorRequest, isBucket: boolean): string {
  const [known, refused, others] = isBucket
    ? [BUCKET_OPERATIONS, REFUSED_BUCKET_OPERATIONS, OBJECT_OPERATIONS]
    : [OBJECT_OPERATIONS, REFUSED_OBJECT_OPERATIONS, BUCKET_OPERATIONS];
  const isRead = method === "GET" || method === "HEAD";
  let found = "";
  for (const name of query.keys()) {
    if (name === "" || name === found) continue;
    if (!Object.hasOwn(known, name) && !Object.hasOwn(refused, name)) {
      // Meant for a key where there is a bucket, or the other way round: it must not change what it does not speak of.
      if (!isRead && Object.hasOwn(others, name)) throw methodNotAllowed(method, isBucket ? "BUCKET" : "OBJECT");
      continue;
    }
    if (found !== "") {
      throw invalidArgument(`Conflicting query string parameters: ${found}, ${name}`, "ResourceType", found);
    }
    found = name;
  }
  const operation = refusedOperation(refused, found, method, query);
  if (operation !== undefined) throw notImplemented(`s3:${operation}`);
  return found;
}
