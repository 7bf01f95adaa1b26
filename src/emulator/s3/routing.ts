import { AwsError, notImplemented } from "../awsError.ts";
import type { EmulatorRequest } from "../http.ts";
import { invalidArgument, methodNotAllowed } from "./errors.ts";

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

/** Sub-resources of S3 that this endpoint knows by name only. */
const REFUSED_SUBRESOURCES: Readonly<Record<string, string>> = {
  abac: "BucketAbac",
  analytics: "BucketAnalyticsConfiguration",
  annotation: "ObjectAnnotation",
  "intelligent-tiering": "BucketIntelligentTieringConfiguration",
  inventory: "BucketInventoryConfiguration",
  "legal-hold": "ObjectLegalHold",
  metadataConfiguration: "BucketMetadataConfiguration",
  metadataTable: "BucketMetadataTableConfiguration",
  metrics: "BucketMetricsConfiguration",
  renameObject: "RenameObject",
  restore: "RestoreObject",
  retention: "ObjectRetention",
  select: "SelectObjectContent",
  session: "CreateSession",
  torrent: "GetObjectTorrent",
};

/** Throws MethodNotAllowed 405, and NotImplemented 501 by name. */
export function operationOf(request: EmulatorRequest, bucket: string, key: string): S3Operation {
  const { method } = request;
  if (bucket === "") {
    if (method === "GET") return "ListBuckets";
    throw methodNotAllowed(method, "SERVICE");
  }
  if (method === "OPTIONS") throw notImplemented("CORS preflight requests (s3)");
  const table: Record<string, Methods<S3Operation>> = key === "" ? BUCKET_OPERATIONS : OBJECT_OPERATIONS;
  const sub = request.rawQuery === "" ? "" : subresourceOf(request, table);
  const operation = table[sub]![method as "GET"];
  if (operation === undefined) throw methodNotAllowed(method, key === "" ? "BUCKET" : "OBJECT");
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

/** Throws InvalidArgument 400 for two sub-resources, NotImplemented 501 by name. */
function subresourceOf(request: EmulatorRequest, table: object): string {
  let found = "";
  for (const name of request.query.keys()) {
    if (name === "" || name === found) continue;
    if (!Object.hasOwn(table, name) && !Object.hasOwn(REFUSED_SUBRESOURCES, name)) continue;
    if (found !== "") {
      throw invalidArgument(`Conflicting query string parameters: ${found}, ${name}`, "ResourceType", found);
    }
    found = name;
  }
  if (Object.hasOwn(REFUSED_SUBRESOURCES, found)) {
    throw notImplemented(`s3 ${REFUSED_SUBRESOURCES[found]} (?${found})`);
  }
  return found;
}
