import { createHash } from "node:crypto";
import type { Authorize, Caller } from "../access.ts";
import { AwsError } from "../awsError.ts";
import type { EventTarget } from "../delivery.ts";
import type { Faults } from "../faults.ts";
import type { EmulatorReply, EmulatorRequest } from "../http.ts";
import { encodeRestXmlError } from "../protocols/restXml.ts";
import type { Service } from "../service.ts";
import type { EmulatorSettings } from "../settings.ts";
import type { Store } from "../store/store.ts";
import { hostIdOf, type S3Call, type S3Context } from "./call.ts";
import { type ChecksumAlgorithm, loadHashers } from "./checksums.ts";
import { screenHeaders } from "./headerScreen.ts";
import { readWholeObject, writeSmallObject } from "./internalAccess.ts";
import { applyLifecycles } from "./lifecycle/expiry.ts";
import { EventDispatcher } from "./notifications/dispatcher.ts";
import { OPERATIONS } from "./operations.ts";
import { withHeadersOfQuery } from "./queryHeaders.ts";
import { addressOf, operationOf } from "./routing.ts";
import { S3Store } from "./store.ts";

/*
 * S3: general purpose buckets of one account in one region, path style and virtual-host style (`bucket.localhost`, `bucket.s3.localhost`).
 *
 * Operations: the keys of the table in `operations.ts`, one file each.
 *
 * Kept, given back and acted on: versioning, notification, policy, tagging, lifecycle (expiration of current and noncurrent versions,
 * lone delete markers, old uploads; at start and every hour), ownershipControls, publicAccessBlock (IgnorePublicAcls alone has
 * nothing to act on, as no grants can be given).
 * Kept and given back, without effect: encryption (AES256 only; files lie in plain text),
 * storage classes that can be read at once.
 *
 * Gaps, each refused by name with 501 (operations: `refusedOperations.ts`): SSE-C, SSE-KMS, changes of an object's encryption, object
 * lock, legal hold, retention, grants and ACLs other than the owner's, transitions and archive classes, restore, select, torrent,
 * annotations, rename, website, CORS (web pages are refused at the door: no rule could have an effect), replication, access logs,
 * transfer acceleration, requester pays, analytics, inventory, metrics, intelligent tiering, S3 Metadata, ABAC, access points,
 * directory buckets, MFA delete, notifications to SNS and EventBridge, conditional deletes by size or time.
 *
 * Different by design: any region in a signature is accepted; there is one account, so no bucket belongs to somebody else;
 * a new notification or versioning setting counts at once.
 */

export interface S3Service extends Service {
  hasBucket(name: string): boolean;
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
  /** False for a role or user of the account that is not there. */
  knowsPrincipal(arn: string): boolean;
  /** The service that owns this ARN, if it can receive events. */
  targetFor(arn: string): EventTarget | undefined;
  faults: Faults;
}

const LIFECYCLE_INTERVAL_MS = 3_600_000;
/** Compiled before anybody asks for them; the others are when somebody does. */
const USUAL_HASHERS: ChecksumAlgorithm[] = ["CRC32C", "CRC64NVME"];
const EMPTY_QUERY = new URLSearchParams();

export function createS3(dependencies: S3Dependencies): S3Service {
  const { settings, faults, targetFor } = dependencies;
  const store = new S3Store(dependencies.store, settings.now());
  const accountHash = createHash("sha256").update(`minilake/${settings.accountId}`).digest("hex");
  const ownerPrincipalId = `A${accountHash.slice(0, 13).toUpperCase()}`;
  const events = new EventDispatcher({ store, settings, targetFor, faults, ownerPrincipalId });
  const context: S3Context = { ...dependencies, store, events, ownerId: accountHash };
  let lifecycleTimer: NodeJS.Timeout | undefined;
  let areChecksumsReady = false;
  const readyChecksums = async () => {
    await loadHashers(USUAL_HASHERS);
    areChecksumsReady = true;
  };

  const runLifecycles = () =>
    applyLifecycles(context, "lifecycle").catch((error: unknown) =>
      settings.report("s3: lifecycle rules failed", error),
    );

  return {
    async handle(request, caller) {
      if (!areChecksumsReady) await readyChecksums();
      return withCommonHeaders(await answer(context, request, caller), request);
    },
    encodeError: (error, request) => encodeRestXmlError(error, request, hostIdOf(request.id)),
    start() {
      // Takes 20 ms of compiling: not before the endpoint can answer.
      setImmediate(() => void readyChecksums());
      events.start();
      lifecycleTimer = setInterval(runLifecycles, LIFECYCLE_INTERVAL_MS).unref();
      void runLifecycles();
    },
    async stop() {
      events.stop();
      clearInterval(lifecycleTimer);
    },
    hasBucket: (name) => store.findBucket(name) !== undefined,
    readObject: async (caller, bucket, key, versionId, maxBytes) =>
      readWholeObject(context, caller, bucket, key, versionId, maxBytes),
    putObject: async (caller, bucket, key, body) => {
      if (!areChecksumsReady) await readyChecksums();
      writeSmallObject(context, caller, bucket, key, body);
    },
  };
}

function answer(context: S3Context, signed: EmulatorRequest, caller: Caller): EmulatorReply | Promise<EmulatorReply> {
  const request = withHeadersOfQuery(signed, caller);
  const { bucket, key } = addressOf(request);
  const operation = operationOf(request, bucket, key);
  screenHeaders(request, operation);
  if (key !== "" && context.faults.slowDown()) {
    throw new AwsError("SlowDown", "Please reduce your request rate.", 503);
  }
  const query = request.rawQuery === "" ? EMPTY_QUERY : request.query;
  const call: S3Call = { request, caller, bucket, key, query };
  return OPERATIONS[operation](context, call);
}

function withCommonHeaders(reply: EmulatorReply, request: EmulatorRequest): EmulatorReply {
  return {
    status: reply.status,
    headers: {
      "x-amz-request-id": request.id,
      "x-amz-id-2": hostIdOf(request.id),
      server: "AmazonS3",
      ...reply.headers,
    },
    body: reply.body,
  };
}
