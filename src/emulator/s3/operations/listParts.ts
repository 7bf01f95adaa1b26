import { element, wrap, xmlReply } from "../../protocols/restXml.ts";
import { requireObjectAccess } from "../access.ts";
import type { Operation } from "../call.ts";
import { checksumElement } from "../checksums.ts";
import { pageSize } from "../listing.ts";
import { findUpload } from "../multipart.ts";
import { listedTime } from "../objectListing.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
export const listParts: Operation = (context, call) => {
  requireObjectAccess(context, call, "s3:ListMultipartUploadParts");
  const upload = findUpload(context, call);
  const max = pageSize(call.query.get("max-parts"), "max-parts");
  const marker = pageSize(call.query.get("part-number-marker") || "0", "part-number-marker").given;
  const parts = context.store.parts(upload.id).filter(({ number }) => number > marker);
  const page = parts.slice(0, max.used);
  const owner = element("ID", context.ownerId);
  const rows = page.map((part) =>
    wrap(
      "Part",
      element("PartNumber", part.number) +
        element("LastModified", listedTime(part.modified)) +
        element("ETag", `"${part.etag}"`) +
        element("Size", part.size) +
        (upload.checksumAlgorithm ? element(checksumElement(part.checksum.algorithm), part.checksum.value) : ""),
    ),
  );
  return xmlReply(
    "ListPartsResult",
    element("Bucket", call.bucket) +
      element("Key", call.key) +
      element("UploadId", upload.id) +
      wrap("Initiator", owner) +
      wrap("Owner", owner) +
      element("StorageClass", upload.storageClass ?? "STANDARD") +
      element("PartNumberMarker", marker) +
      element("NextPartNumberMarker", page.at(-1)?.number ?? 0) +
      element("MaxParts", max.used) +
      element("IsTruncated", max.used > 0 && page.length < parts.length) +
      element("ChecksumAlgorithm", upload.checksumAlgorithm) +
      element("ChecksumType", upload.checksumType) +
      rows.join(""),
  );
};
