import { element, xmlReply } from "../../protocols/restXml.ts";
import { requireBucket } from "../access.ts";
import type { Operation } from "../call.ts";
import { decodeToken, encodeToken, keyEncoder, listPage, pageSize } from "../listing.ts";
import { commonPrefixesXml, contentsXml, listConditions, liveObjects, pageStart } from "../objectListing.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export const listObjectsV2: Operation = (context, call) => {
  const { query } = call;
  requireBucket(context, call, "s3:ListBucket", listConditions(query));
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const token = query.get("continuation-token");
  const startAfter = query.get("start-after") ?? "";
  const encode = keyEncoder(query.get("encoding-type"));
  const max = pageSize(query.get("max-keys"), "max-keys");
  const page = listPage({
    entriesFrom: (start) => liveObjects(context, call.bucket, start),
    prefix,
    delimiter,
    ...pageStart(prefix, delimiter, token === null ? startAfter : decodeToken(token)),
    maxItems: max.used,
  });
  const last = page.items.at(-1);
  const next = last && ("prefix" in last ? last.prefix : last.key);
  return xmlReply(
    "ListBucketResult",
    element("Name", call.bucket) +
      element("Prefix", encode(prefix)) +
      element("ContinuationToken", token ?? undefined) +
      (page.isTruncated && next !== undefined ? element("NextContinuationToken", encodeToken(next)) : "") +
      (token === null && startAfter !== "" ? element("StartAfter", encode(startAfter)) : "") +
      element("KeyCount", page.items.length) +
      element("MaxKeys", max.used) +
      (delimiter === "" ? "" : element("Delimiter", encode(delimiter))) +
      element("EncodingType", query.get("encoding-type") ?? undefined) +
      element("IsTruncated", page.isTruncated) +
      contentsXml(page.items, encode, query.get("fetch-owner") === "true" ? context.ownerId : undefined) +
      commonPrefixesXml(page.items, encode),
    { "x-amz-bucket-region": context.settings.region },
  );
};
