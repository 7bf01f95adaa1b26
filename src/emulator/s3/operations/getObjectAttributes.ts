import { element, wrap, xmlReply } from "../../protocols/restXml.ts";
import { objectArn, requireAccess } from "../access.ts";
import { header, type Operation, type S3Context } from "../call.ts";
import { checksumElement } from "../checksums.ts";
import { existingTags } from "../conditionKeys.ts";
import { checkReadConditions } from "../conditions.ts";
import { invalidArgument, invalidRequest } from "../errors.ts";
import { pageSize } from "../listing.ts";
import { objectHeaders } from "../metadata.ts";
import { findObject, versionedAction } from "../reads.ts";
import type { ObjectRecord } from "../records.ts";

const ATTRIBUTES = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html */
export const getObjectAttributes: Operation = (context, call) => {
  const { bucket, record, versionId } = findObject(context, call, "s3:GetObject");
  const action = versionedAction("s3:GetObjectAttributes", versionId);
  requireAccess(context, call, action, objectArn(call.bucket, call.key), bucket, {
    ...existingTags(record),
    "s3:VersionId": versionId,
  });
  const wanted = (header(call, "x-amz-object-attributes") ?? "").split(",").map((name) => name.trim());
  if (wanted.length === 1 && wanted[0] === "") {
    throw invalidRequest(
      "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty",
    );
  }
  if (!wanted.every((name) => ATTRIBUTES.includes(name))) {
    throw invalidArgument("Invalid attribute name specified.", "x-amz-object-attributes", wanted.join(","));
  }
  const unmodified = checkReadConditions(call, record, context.settings.now(), objectHeaders(record, false));
  if (unmodified) return unmodified;
  const partMarker = pageSize(header(call, "x-amz-part-number-marker") || "0", "x-amz-part-number-marker").given;
  const maxParts = pageSize(header(call, "x-amz-max-parts") ?? null, "x-amz-max-parts").used;
  const { checksum } = record;
  const content = [
    wanted.includes("ETag") ? element("ETag", record.etag) : "",
    wanted.includes("Checksum") && checksum
      ? wrap(
          "Checksum",
          element(checksumElement(checksum.algorithm), checksum.value.replace(/-\d+$/, "")) +
            element("ChecksumType", checksum.type),
        )
      : "",
    wanted.includes("ObjectParts") ? partsXml(context, record, partMarker, maxParts) : "",
    wanted.includes("StorageClass") ? element("StorageClass", record.storageClass ?? "STANDARD") : "",
    wanted.includes("ObjectSize") ? element("ObjectSize", record.size) : "",
  ];
  return xmlReply("GetObjectAttributesResponse", content.join(""), {
    "last-modified": new Date(record.modified).toUTCString(),
    ...(bucket.versioning && { "x-amz-version-id": record.versionId }),
  });
};

/** The parts themselves are told for composite checksums only, as on AWS. */
function partsXml(context: S3Context, record: ObjectRecord, marker: number, maxParts: number): string {
  if (!record.partsCount || !record.body || !("layout" in record.body)) return "";
  const { checksum } = record;
  if (checksum?.type !== "COMPOSITE") return wrap("ObjectParts", element("PartsCount", record.partsCount));
  const parts = context.store.layout(record.body.layout).parts.filter(({ number }) => number > marker);
  const page = parts.slice(0, maxParts);
  return wrap(
    "ObjectParts",
    element("PartsCount", record.partsCount) +
      element("PartNumberMarker", marker) +
      element("NextPartNumberMarker", page.at(-1)?.number ?? 0) +
      element("MaxParts", maxParts) +
      element("IsTruncated", maxParts > 0 && page.length < parts.length) +
      page
        .map((part) =>
          wrap(
            "Part",
            element("PartNumber", part.number) +
              element("Size", part.size) +
              element(checksumElement(checksum.algorithm), part.checksum),
          ),
        )
        .join(""),
  );
}
