import { element, xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation, S3Context } from "../call.ts";
import { invalidArgument } from "../errors.ts";
import { keyEncoder, type Listed, listPage, pageSize } from "../listing.ts";
import { checksumXml, commonPrefixesXml, listConditions, listedTime, ownerXml, pageStart } from "../objectListing.ts";
import { checkVersionId } from "../reads.ts";
import type { ObjectRecord } from "../records.ts";
import { sequenceOfVersion } from "../store.ts";

interface Version {
  record: ObjectRecord;
  isLatest: boolean;
}

/**
 * All versions and delete markers, keys ascending, the newest of each key first.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 */
export const listObjectVersions: Operation = (context, call) => {
  const { query } = call;
  requireBucket(context, call, "s3:ListBucketVersions", listConditions(query));
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const keyMarker = query.get("key-marker") ?? "";
  const versionMarker = query.get("version-id-marker");
  if (versionMarker && keyMarker === "") {
    throw invalidArgument(
      "A version-id marker cannot be specified without a key marker.",
      "version-id-marker",
      versionMarker,
    );
  }
  if (versionMarker === "") throw invalidArgument("A version-id marker cannot be empty.", "version-id-marker", "");
  if (versionMarker !== null) checkVersionId(versionMarker, "version-id-marker");
  const encode = keyEncoder(query.get("encoding-type"));
  const max = pageSize(query.get("max-keys"), "max-keys");
  const begin = versionMarker ? { start: keyMarker } : pageStart(prefix, delimiter, keyMarker);
  const page = listPage<Version>({
    entriesFrom: (start) => versionsFrom(context, call.bucket, start, keyMarker, versionMarker ?? undefined),
    prefix,
    delimiter,
    ...begin,
    maxItems: max.used,
  });
  const last = page.items.at(-1);
  return xmlReply(
    "ListVersionsResult",
    element("Name", call.bucket) +
      element("Prefix", encode(prefix)) +
      element("KeyMarker", encode(keyMarker)) +
      element("VersionIdMarker", versionMarker ?? "") +
      (page.isTruncated && last ? nextMarkers(last, encode) : "") +
      element("MaxKeys", max.used) +
      (delimiter === "" ? "" : element("Delimiter", encode(delimiter))) +
      element("EncodingType", query.get("encoding-type") ?? undefined) +
      element("IsTruncated", page.isTruncated) +
      versionsXml(page.items, encode, context.ownerId) +
      commonPrefixesXml(page.items, encode),
  );
};

/**
 * With a version marker, the versions of the marked key that are newer than it, and it itself, have been listed before. It may be gone:
 * clients delete what one page has told them before they ask for the next.
 */
function* versionsFrom(
  context: S3Context,
  bucket: string,
  start: string,
  keyMarker: string,
  versionMarker: string | undefined,
): Iterable<{ key: string; entry: Version }> {
  const listedFrom = versionMarker === undefined ? undefined : positionOf(context, bucket, keyMarker, versionMarker);
  for (const { key, record, isLatest } of context.store.versions(bucket, start)) {
    if (listedFrom !== undefined && key === keyMarker && record.seq >= listedFrom) continue;
    yield { key, entry: { record, isLatest } };
  }
}

/** Undefined for a null version that is gone: nothing tells where it was. */
function positionOf(context: S3Context, bucket: string, key: string, versionId: string): number | undefined {
  return sequenceOfVersion(versionId) ?? context.store.findVersion(bucket, key, versionId)?.seq;
}

function nextMarkers(last: Listed<Version>, encode: (key: string) => string): string {
  return "prefix" in last
    ? element("NextKeyMarker", encode(last.prefix))
    : element("NextKeyMarker", encode(last.key)) + element("NextVersionIdMarker", last.entry.record.versionId);
}

function versionsXml(items: readonly Listed<Version>[], encode: (key: string) => string, ownerId: string): string {
  let xml = "";
  for (const item of items) {
    if ("prefix" in item) continue;
    const { record, isLatest } = item.entry;
    const identity = `${element("Key", encode(item.key))}<VersionId>${record.versionId}</VersionId><IsLatest>${isLatest}</IsLatest><LastModified>${listedTime(record.modified)}</LastModified>`;
    xml += record.marker
      ? `<DeleteMarker>${identity}${ownerXml(ownerId)}</DeleteMarker>`
      : `<Version>${identity}<ETag>&quot;${record.etag}&quot;</ETag>${checksumXml(record)}<Size>${record.size}</Size><StorageClass>${record.storageClass ?? "STANDARD"}</StorageClass>${ownerXml(ownerId)}</Version>`;
  }
  return xml;
}
