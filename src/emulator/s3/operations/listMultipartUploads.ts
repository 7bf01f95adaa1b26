import { element, wrap, xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation, S3Context } from "../call.ts";
import { invalidArgument } from "../errors.ts";
import { keyEncoder, type Listed, type ListedPage, listPage, pageSize } from "../listing.ts";
import { commonPrefixesXml, listConditions, listedTime, pageStart } from "../objectListing.ts";
import type { UploadRecord } from "../records.ts";
import { isUploadId } from "../store.ts";

/** Uploads by key, then by age. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export const listMultipartUploads: Operation = (context, call) => {
  const { query } = call;
  requireBucket(context, call, "s3:ListBucketMultipartUploads", listConditions(query));
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const keyMarker = query.get("key-marker") ?? "";
  // Without a key marker the upload marker is ignored, as on AWS.
  const uploadMarker = keyMarker === "" ? "" : (query.get("upload-id-marker") ?? "");
  checkUploadMarker(context, call.bucket, keyMarker, uploadMarker);
  const encode = keyEncoder(query.get("encoding-type"));
  const max = pageSize(query.get("max-uploads"), "max-uploads");
  const begin = uploadMarker === "" ? pageStart(prefix, delimiter, keyMarker) : { start: keyMarker };
  const page = listPage<UploadRecord>({
    entriesFrom: (start) => uploadsFrom(context, call.bucket, start, keyMarker, uploadMarker),
    prefix,
    delimiter,
    ...begin,
    maxItems: max.used,
  });
  return xmlReply(
    "ListMultipartUploadsResult",
    element("Bucket", call.bucket) +
      element("KeyMarker", encode(keyMarker)) +
      element("UploadIdMarker", query.get("upload-id-marker") ?? "") +
      nextMarkers(page, encode) +
      (delimiter === "" ? "" : element("Delimiter", encode(delimiter))) +
      (prefix === "" ? "" : element("Prefix", encode(prefix))) +
      element("MaxUploads", max.used) +
      element("EncodingType", query.get("encoding-type") ?? undefined) +
      element("IsTruncated", page.isTruncated) +
      page.items.map((item) => uploadXml(item, encode, context.ownerId)).join("") +
      commonPrefixesXml(page.items, encode),
  );
};

function* uploadsFrom(
  context: S3Context,
  bucket: string,
  start: string,
  keyMarker: string,
  uploadMarker: string,
): Iterable<{ key: string; entry: UploadRecord }> {
  for (const entry of context.store.uploads(bucket, start)) {
    if (uploadMarker !== "" && entry.key === keyMarker && entry.id <= uploadMarker) continue;
    yield { key: entry.key, entry };
  }
}

/** Throws InvalidArgument 400 for what is no id of an upload, or the one of an upload of another key. One that is gone passes. */
function checkUploadMarker(context: S3Context, bucket: string, key: string, id: string): void {
  if (id === "") return;
  const isOthers = () => context.store.uploads(bucket).some((upload) => upload.id === id && upload.key !== key);
  if (!isUploadId(id) || isOthers()) throw invalidArgument("Invalid uploadId marker", "upload-id-marker", id);
}

/** Of the last upload, on the last page too; of a common prefix only where the next page starts behind it. */
function nextMarkers({ items, isTruncated }: ListedPage<UploadRecord>, encode: (key: string) => string): string {
  const last = isTruncated ? items.at(-1) : items.findLast((item) => "entry" in item);
  if (!last) return element("NextKeyMarker", "") + element("NextUploadIdMarker", "");
  return "prefix" in last
    ? element("NextKeyMarker", encode(last.prefix)) + element("NextUploadIdMarker", "")
    : element("NextKeyMarker", encode(last.key)) + element("NextUploadIdMarker", last.entry.id);
}

function uploadXml(item: Listed<UploadRecord>, encode: (key: string) => string, ownerId: string): string {
  if ("prefix" in item) return "";
  const { entry } = item;
  const owner = element("ID", ownerId);
  return wrap(
    "Upload",
    element("Key", encode(item.key)) +
      element("UploadId", entry.id) +
      wrap("Initiator", owner) +
      wrap("Owner", owner) +
      element("StorageClass", entry.storageClass ?? "STANDARD") +
      element("Initiated", listedTime(entry.initiated)) +
      element("ChecksumAlgorithm", entry.checksumAlgorithm) +
      element("ChecksumType", entry.checksumType),
  );
}
