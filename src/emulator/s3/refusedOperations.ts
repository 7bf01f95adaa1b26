/**
 * Operations of AWS's that are answered 501, for their names: by sub-resource and method. LIST is a GET that names no single one.
 * A sub-resource that is not known is ignored, as on AWS; one that is must not be: a PUT would replace the object or bucket itself.
 */
type Refused = Readonly<Record<string, Partial<Record<"GET" | "LIST" | "PUT" | "POST" | "DELETE", string>>>>;

const configuration = (name: string) => ({
  GET: `GetBucket${name}Configuration`,
  LIST: `ListBucket${name}Configurations`,
  PUT: `PutBucket${name}Configuration`,
  DELETE: `DeleteBucket${name}Configuration`,
});

const metadata = (name: string) => ({
  GET: `GetBucket${name}Configuration`,
  POST: `CreateBucket${name}Configuration`,
  DELETE: `DeleteBucket${name}Configuration`,
});

export const REFUSED_BUCKET_OPERATIONS: Refused = {
  abac: { GET: "GetBucketAbac", PUT: "PutBucketAbac" },
  analytics: configuration("Analytics"),
  "intelligent-tiering": configuration("IntelligentTiering"),
  inventory: configuration("Inventory"),
  metadataAnnotationTable: { PUT: "UpdateBucketMetadataAnnotationTableConfiguration" },
  metadataConfiguration: metadata("Metadata"),
  metadataInventoryTable: { PUT: "UpdateBucketMetadataInventoryTableConfiguration" },
  metadataJournalTable: { PUT: "UpdateBucketMetadataJournalTableConfiguration" },
  metadataTable: metadata("MetadataTable"),
  metrics: configuration("Metrics"),
  session: { GET: "CreateSession" },
};

export const REFUSED_OBJECT_OPERATIONS: Refused = {
  annotation: {
    GET: "GetObjectAnnotation",
    LIST: "ListObjectAnnotations",
    PUT: "PutObjectAnnotation",
    DELETE: "DeleteObjectAnnotation",
  },
  encryption: { PUT: "UpdateObjectEncryption" },
  "legal-hold": { GET: "GetObjectLegalHold", PUT: "PutObjectLegalHold" },
  renameObject: { PUT: "RenameObject" },
  restore: { POST: "RestoreObject" },
  retention: { GET: "GetObjectRetention", PUT: "PutObjectRetention" },
  select: { POST: "SelectObjectContent" },
  torrent: { GET: "GetObjectTorrent" },
};

/** Query parameters that name a single one of what else would be listed. */
const IDENTIFIERS = ["id", "annotationName"];

/** The operation's name, or undefined when there is none for this method. */
export function refusedOperation(
  refused: Refused,
  subresource: string,
  method: string,
  query: URLSearchParams,
): string | undefined {
  const names = refused[subresource];
  if (names === undefined) return undefined;
  const isList = method === "GET" && names.LIST !== undefined && !IDENTIFIERS.some((name) => query.has(name));
  return isList ? names.LIST : names[method as "GET"];
}
