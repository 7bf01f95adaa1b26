import { element, wrap, xmlReply } from "../../protocols/restXml.ts";
import { bucketArn, requireAccess } from "../access.ts";
import type { Operation } from "../call.ts";
import { invalidArgument } from "../errors.ts";
import { decodeToken, encodeToken } from "../listing.ts";
import type { BucketRecord } from "../records.ts";
import { REGIONS } from "../regions.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html */
const MAX_BUCKETS = 10_000;
export const listBuckets: Operation = (context, call) => {
  requireAccess(context, call, "s3:ListAllMyBuckets", "*", undefined);
  const { query } = call;
  const prefix = query.get("prefix");
  const region = query.get("bucket-region");
  const token = query.get("continuation-token");
  const maxText = query.get("max-buckets");
  if (region !== null && !REGIONS.has(region)) {
    throw invalidArgument(`Argument value ${region} is not a valid AWS Region`, "bucket-region");
  }
  const max = maxText === null ? MAX_BUCKETS : Number(maxText);
  if (!(Number.isInteger(max) && max >= 1 && max <= MAX_BUCKETS)) {
    throw invalidArgument("Argument max-buckets must be an integer between 1 and 10000", "max-buckets", maxText ?? "");
  }
  const after = token === null ? "" : decodeToken(token);
  const matching = context.store
    .buckets()
    .filter(({ name }) => name > after && name.startsWith(prefix ?? ""))
    .filter(() => region === null || region === context.settings.region);
  const page = matching.slice(0, max);
  const isDetailed = prefix !== null || region !== null || token !== null || maxText !== null;
  const bucketXml = (bucket: BucketRecord) =>
    wrap(
      "Bucket",
      element("Name", bucket.name) +
        element("CreationDate", new Date(Math.floor(bucket.created / 1000) * 1000).toISOString()) +
        (isDetailed
          ? element("BucketRegion", context.settings.region) + element("BucketArn", bucketArn(bucket.name))
          : ""),
    );
  return xmlReply(
    "ListAllMyBucketsResult",
    wrap("Owner", element("ID", context.ownerId)) +
      wrap("Buckets", page.map(bucketXml).join("")) +
      (prefix === null ? "" : element("Prefix", prefix)) +
      (page.length < matching.length ? element("ContinuationToken", encodeToken(page.at(-1)!.name)) : ""),
  );
};
