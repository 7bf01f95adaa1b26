import { AwsError, notImplemented } from "../awsError.ts";
import { invalidParameter, optionalString } from "./constraints.ts";
import type { LambdaContext, OperationInput } from "./context.ts";
import { emptyZip, MAX_UNZIPPED_BYTES, MAX_ZIPPED_BYTES } from "./deploymentPackage.ts";

/** Largest request of the control API; AWS's figure. */
export const MAX_REQUEST_BYTES = 70_167_211;

/**
 * The zip of CreateFunction's Code or of UpdateFunctionCode: ZipFile (base64), or an object that the caller may read.
 * Throws InvalidParameterValueException, RequestEntityTooLargeException 413.
 */
export async function readZip(
  code: Readonly<Record<string, unknown>>,
  input: OperationInput,
  context: LambdaContext,
  operation: string,
): Promise<Buffer> {
  if (input.rawBody.length > MAX_REQUEST_BYTES) {
    throw tooLarge(`Request must be smaller than ${MAX_REQUEST_BYTES} bytes for the ${operation} operation`);
  }
  if (optionalString(code, "ImageUri")) throw notImplemented("lambda container images (ImageUri)");
  if (optionalString(code, "SourceKMSKeyArn"))
    throw notImplemented("lambda packages encrypted with a key (SourceKMSKeyArn)");
  const storage = optionalString(code, "S3ObjectStorageMode");
  if (storage && storage !== "COPY")
    throw notImplemented(`lambda packages that stay in S3 (S3ObjectStorageMode ${storage})`);
  const zipFile = optionalString(code, "ZipFile");
  const bucket = optionalString(code, "S3Bucket");
  const key = optionalString(code, "S3Key");
  if (zipFile !== undefined) {
    if (bucket !== undefined || key !== undefined) {
      throw invalidParameter("Please do not provide other FunctionCode parameters when providing a ZipFile.");
    }
    const zip = Buffer.from(zipFile, "base64");
    if (zip.length === 0) throw emptyZip();
    if (zip.length > MAX_ZIPPED_BYTES) throw tooLarge(`Zipped size must be smaller than ${MAX_ZIPPED_BYTES} bytes`);
    return zip;
  }
  if (bucket === undefined || key === undefined) throw invalidParameter("Please provide a source for function code.");
  try {
    const version = optionalString(code, "S3ObjectVersion");
    return await context.dependencies.readObject(input.caller, bucket, key, version, MAX_UNZIPPED_BYTES);
  } catch (error) {
    if (!(error instanceof AwsError) || error.status >= 500) throw error;
    throw invalidParameter(
      `Error occurred while GetObject. S3 Error Code: ${error.code}. S3 Error Message: ${error.message}`,
    );
  }
}

/** PublishTo names where a version is published to, other than as a numbered version. */
export function refusePublishTo(body: Readonly<Record<string, unknown>>): void {
  const target = optionalString(body, "PublishTo");
  if (target) throw notImplemented(`lambda versions published to ${target} (PublishTo)`);
}

const tooLarge = (message: string) => new AwsError("RequestEntityTooLargeException", message, 413);
