import { element, xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";
import { keyEncoder, listPage, pageSize } from "../listing.ts";
import { commonPrefixesXml, contentsXml, listConditions, liveObjects, pageStart } from "../objectListing.ts";

/** Version 1 of listing. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html */
export const listObjects: Operation = (context, call) => {
  const { query } = call;
  requireBucket(context, call, "s3:ListBucket", listConditions(query));
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const marker = query.get("marker") ?? "";
  const encode = keyEncoder(query.get("encoding-type"));
  const max = pageSize(query.get("max-keys"), "max-keys");
  const page = listPage({
    entriesFrom: (start) => liveObjects(context, call.bucket, start),
    prefix,
    delimiter,
    ...pageStart(prefix, delimiter, marker),
    maxItems: max.used,
  });
  const last = page.items.at(-1);
  const next = last && ("prefix" in last ? last.prefix : last.key);
  return xmlReply(
    "ListBucketResult",
    element("Name", call.bucket) +
      element("Prefix", encode(prefix)) +
      element("Marker", encode(marker)) +
      (page.isTruncated && delimiter !== "" && next !== undefined ? element("NextMarker", encode(next)) : "") +
      element("MaxKeys", max.used) +
      (delimiter === "" ? "" : element("Delimiter", encode(delimiter))) +
      element("EncodingType", query.get("encoding-type") ?? undefined) +
      element("IsTruncated", page.isTruncated) +
      contentsXml(page.items, encode, context.ownerId) +
      commonPrefixesXml(page.items, encode),
    { "x-amz-bucket-region": context.settings.region },
  );
};
