import { AwsError, notImplemented } from "../../awsError.ts";
import { childOf, onlyChildren, parseXml, textOf } from "../../protocols/restXml.ts";
import { bucketArn, requireAccess } from "../access.ts";
import { checkCannedAcl } from "../acl.ts";
import { receiveDocument } from "../bodies/receive.ts";
import { header, type Operation, type S3Call, type S3Context } from "../call.ts";
import { aclConditions } from "../conditionKeys.ts";
import { invalidArgument } from "../errors.ts";
import { OBJECT_OWNERSHIPS, type ObjectOwnership, type Tag } from "../records.ts";
import { REGIONS } from "../regions.ts";
import { parseTagSet } from "../tags.ts";

/**
 * Makes a bucket. Repeating it is a success in us-east-1 and BucketAlreadyOwnedByYou elsewhere.
 *
 * Throws   InvalidBucketName, InvalidLocationConstraint, IllegalLocationConstraintException 400, BucketAlreadyOwnedByYou 409
 * Absent   directory buckets, object lock: 501
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
 */
export const createBucket: Operation = async (context, call) => {
  const { bucket: name } = call;
  const body = await receiveDocument(call, 64 * 1024);
  if (!isBucketName(name)) {
    throw new AwsError("InvalidBucketName", "The specified bucket is not valid.", 400, {
      details: { BucketName: name },
    });
  }
  requireAccess(context, call, "s3:CreateBucket", bucketArn(name), undefined, aclConditions(call));
  const ownership = requestedOwnership(call);
  checkCannedAcl(call, { objectOwnership: ownership }, "s3:CreateBucket");
  const asked = body.length === 0 ? { tags: [] } : parseConfiguration(body);
  checkLocation(context, asked.location);
  const isDefaultRegion = context.settings.region === "us-east-1";
  if (context.store.findBucket(name)) {
    if (!isDefaultRegion || asked.tags.length > 0) {
      throw new AwsError(
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded and you already own it.",
        409,
        { details: { BucketName: name } },
      );
    }
  } else {
    context.store.putBucket({
      name,
      created: context.settings.now(),
      ...(ownership && { objectOwnership: ownership }),
      ...(asked.tags.length > 0 && { tags: asked.tags }),
    });
  }
  const location = isDefaultRegion ? `/${name}` : `http://${name}.${call.request.host}/`;
  return { status: 200, headers: { location, "x-amz-bucket-arn": bucketArn(name) } };
};

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
function isBucketName(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !name.includes("..") &&
    !/^\d{1,3}(\.\d{1,3}){3}$/.test(name) &&
    !/^(xn--|sthree-|amzn-s3-demo-)/.test(name) &&
    !/(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name)
  );
}

function parseConfiguration(body: Buffer): { location?: string; tags: Tag[] } {
  const root = parseXml(body, "CreateBucketConfiguration");
  onlyChildren(root, "LocationConstraint", "Location", "Bucket", "Tags");
  if (childOf(root, "Location") || childOf(root, "Bucket")) throw notImplemented("s3 directory buckets");
  const tags = childOf(root, "Tags");
  return { location: textOf(root, "LocationConstraint") || undefined, tags: tags ? parseTagSet(tags, "bucket") : [] };
}

function checkLocation(context: S3Context, location: string | undefined): void {
  const { region } = context.settings;
  if (region === "us-east-1") {
    if (location === undefined) return;
    if (REGIONS.has(location) && location !== region) {
      throw notImplemented(`s3 buckets in ${location} beside those in ${region}: start it with --region ${location}`);
    }
    throw new AwsError("InvalidLocationConstraint", "The specified location-constraint is not valid", 400, {
      details: { LocationConstraint: location },
    });
  }
  if (location === region) return;
  throw new AwsError(
    "IllegalLocationConstraintException",
    `The ${location ?? "unspecified"} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  );
}

function requestedOwnership(call: S3Call): ObjectOwnership | undefined {
  const asked = header(call, "x-amz-object-ownership");
  if (asked === undefined) return undefined;
  const found = OBJECT_OWNERSHIPS.find((known) => known === asked);
  if (!found) throw invalidArgument(`Invalid x-amz-object-ownership header: ${asked}`, "x-amz-object-ownership", asked);
  return found;
}
