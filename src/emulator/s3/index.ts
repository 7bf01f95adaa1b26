import type { Authorize, Caller } from "../access.ts";
import { notImplemented } from "../awsError.ts";
import type { EventTarget } from "../delivery.ts";
import type { Faults } from "../faults.ts";
import type { Service } from "../service.ts";
import type { EmulatorSettings } from "../settings.ts";
import type { Store } from "../store/store.ts";

export interface S3Service extends Service {
  /** A whole object, for Lambda's code in S3; at most `maxBytes`. Throws AwsError NoSuchBucket, NoSuchKey, AccessDenied. */
  readObject(
    caller: Caller,
    bucket: string,
    key: string,
    versionId: string | undefined,
    maxBytes: number,
  ): Promise<Buffer>;
  /** Puts a small object with all that follows from it (events), for Lambda's on-failure destination. */
  putObject(caller: Caller, bucket: string, key: string, body: Buffer): Promise<void>;
}

export interface S3Dependencies {
  store: Store;
  settings: EmulatorSettings;
  authorize: Authorize;
  authenticatePostPolicy(fields: ReadonlyMap<string, string>): Caller;
  /** The service that owns this ARN, if it can receive events. */
  targetFor(arn: string): EventTarget | undefined;
  faults: Faults;
}

export function createS3(_dependencies: S3Dependencies): S3Service {
  throw notImplemented("s3");
}
