/**
 * An error that AWS would answer. Thrown anywhere in a service and encoded once, in the service's protocol, by `server.ts`.
 *
 * code     AWS's error code, such as NoSuchKey
 * status   HTTP status
 * details  further members of the error body, in order, such as { BucketName: "b" }
 * headers  further response headers, such as { "x-amz-delete-marker": "true" }
 */
export class AwsError extends Error {
  override readonly name = "AwsError";
  readonly code: string;
  readonly status: number;
  readonly details: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: string,
    message: string,
    status = 400,
    options: { details?: Record<string, string>; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = status;
    this.details = options.details ?? {};
    this.headers = options.headers ?? {};
  }
}

/** The 501 for what the embedded endpoint does not do; `what` names it, such as "s3:PutBucketReplication". */
export function notImplemented(what: string): AwsError {
  return new AwsError("NotImplemented", `minilake's embedded endpoint does not implement ${what}.`, 501);
}
