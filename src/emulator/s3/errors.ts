import { AwsError } from "../awsError.ts";
import type { BucketRecord } from "./records.ts";

/** S3's refusals that more than one operation makes, each with AWS's code, status and words. */

export const noSuchBucket = (name: string) =>
  new AwsError("NoSuchBucket", "The specified bucket does not exist", 404, { details: { BucketName: name } });

export const bucketNotEmpty = (bucket: BucketRecord) =>
  new AwsError(
    "BucketNotEmpty",
    `The bucket you tried to delete is not empty${bucket.versioning ? ". You must delete all versions in the bucket." : ""}`,
    409,
    { details: { BucketName: bucket.name } },
  );

export const noSuchKey = (key: string, headers: Record<string, string> = {}) =>
  new AwsError("NoSuchKey", "The specified key does not exist.", 404, { details: { Key: key }, headers });

export const noSuchVersion = (key: string, versionId: string) =>
  new AwsError("NoSuchVersion", "The specified version does not exist.", 404, {
    details: { Key: key, VersionId: versionId },
  });

export const noSuchUpload = (uploadId: string) =>
  new AwsError(
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    404,
    { details: { UploadId: uploadId } },
  );

export const accessDenied = (message: string) => new AwsError("AccessDenied", message, 403);

export const invalidRequest = (message: string) => new AwsError("InvalidRequest", message);

export const invalidArgument = (message: string, name?: string, value?: string) =>
  new AwsError("InvalidArgument", message, 400, {
    details: {
      ...(name === undefined ? {} : { ArgumentName: name }),
      ...(value === undefined ? {} : { ArgumentValue: value }),
    },
  });

export const methodNotAllowed = (method: string, resourceType: string, headers: Record<string, string> = {}) =>
  new AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405, {
    details: { Method: method, ResourceType: resourceType },
    headers,
  });

/** The 501 of S3 itself for a header whose value it does not take. */
export const headerNotImplemented = (header: string, additionalMessage?: string) =>
  new AwsError("NotImplemented", "A header you provided implies functionality that is not implemented", 501, {
    details: { Header: header, ...(additionalMessage === undefined ? {} : { additionalMessage }) },
  });

export const preconditionFailed = (condition: string) =>
  new AwsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412, {
    details: { Condition: condition },
  });

export const conditionalConflict = (condition: string, key: string) =>
  new AwsError(
    "ConditionalRequestConflict",
    "The conditional request cannot succeed due to a conflicting operation against this resource.",
    409,
    { details: { Condition: condition, Key: key } },
  );

/** With the announced and the real length where both are known. */
export const incompleteBody = (expected?: number, provided?: number) =>
  expected === undefined
    ? new AwsError("IncompleteBody", "The request body terminated unexpectedly", 400)
    : new AwsError(
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
        400,
        { details: { NumberBytesExpected: String(expected), NumberBytesProvided: String(provided) } },
      );

export const malformedTrailer = () =>
  new AwsError(
    "MalformedTrailerError",
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  );

export const messageTooLong = (maxBytes: number) =>
  new AwsError("MaxMessageLengthExceeded", "Your request was too big.", 400, {
    details: { MaxMessageLengthBytes: String(maxBytes) },
  });

export const missingContentLength = () =>
  new AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411);

export const entityTooLarge = (proposed: number, allowed: number) =>
  new AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400, {
    details: { ProposedSize: String(proposed), MaxSizeAllowed: String(allowed) },
  });
