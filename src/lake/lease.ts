import { hostname } from "node:os";
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { isAwsError, MinilakeError } from "../errors.ts";
import { processRuns } from "../processRuns.ts";
import { retryWhile } from "./waiting.ts";

/** Who changes the lake now; `lease.json` in the control bucket. */
export interface LeaseRecord {
  /** "host:pid" */
  holder: string;
  /** "up", "down" */
  work: string;
  /** ISO 8601 UTC. */
  acquired: string;
  /** After this the holder counts as dead. */
  expires: string;
}

export interface Lease {
  /** Throws MinilakeError LeaseHeld when somebody else has taken the lease meanwhile. */
  check(): void;
  /** Ends the renewing and gives the lease back; never throws. */
  release(): Promise<void>;
}

export interface LeaseOptions {
  work: string;
  /** @default this host and process */
  holder?: string;
  /** Milliseconds since the epoch. @default the clock */
  now?: () => number;
  /** @default 30,000 */
  ttlMs?: number;
  /** Says whether a process of this host that ran at `markedAt` (milliseconds since the epoch) still does. @default asks the system */
  isAlive?: (pid: number, markedAt: number) => boolean;
  /** The bucket was made a moment ago: a part of S3 may not know of it yet. @default false */
  bucketIsNew?: boolean;
}

export const LEASE_KEY = "lease.json";
/** Long enough for a slow call, short enough that nobody waits long for a dead holder. */
const TTL_MS = 30_000;
/** Two that find the same lease expired race for it; the loser looks once more. */
const MAX_TRIES = 3;
/** S3 knows everywhere of a new bucket within seconds. */
const NEW_BUCKET_TIMEOUT_MS = 60_000;

/**
 * Takes the lake's lease by a conditional write, and renews it until released.
 * A lease that has expired, or whose holder was a process of this host that is no more, is taken over.
 * Throws MinilakeError LeaseHeld, naming the holder. The bucket must exist.
 */
export async function takeLease(s3: S3Client, Bucket: string, options: LeaseOptions): Promise<Lease> {
  const now = options.now ?? Date.now;
  const ttlMs = options.ttlMs ?? TTL_MS;
  const holder = options.holder ?? `${hostname()}:${process.pid}`;
  const acquired = new Date(now()).toISOString();
  const write = async (condition: { IfMatch: string } | { IfNoneMatch: "*" }): Promise<string> => {
    const record: LeaseRecord = {
      holder,
      work: options.work,
      acquired,
      expires: new Date(now() + ttlMs).toISOString(),
    };
    const { ETag = "" } = await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: LEASE_KEY,
        Body: `${JSON.stringify(record, null, 2)}\n`,
        ContentType: "application/json",
        ...condition,
      }),
    );
    return ETag;
  };

  /** A write whose answer was lost is tried again by the SDK, and then meets itself. */
  const isMine = (record: LeaseRecord | undefined) => record?.holder === holder && record.acquired === acquired;

  let etag: string | undefined;
  let current: LeaseRecord | undefined;
  for (let tries = 0; etag === undefined && tries < MAX_TRIES; tries++) {
    etag = await retryWhile(
      {
        what: `the bucket ${Bucket} to be found`,
        timeoutMs: NEW_BUCKET_TIMEOUT_MS,
        passing: (error) => (options.bucketIsNew ?? false) && isAwsError(error, "NoSuchBucket"),
      },
      () => unlessTaken(write({ IfNoneMatch: "*" })),
    );
    if (etag !== undefined) break;
    const found = await readLease(s3, Bucket);
    if (found === undefined) continue;
    current = found.record;
    if (isMine(current)) etag = found.etag;
    else if (!isDead(current, now(), options.isAlive ?? processRuns)) throw held(current);
    else etag = await unlessTaken(write({ IfMatch: found.etag }));
  }
  if (etag === undefined) throw held(current);

  let lost = false;
  let released = false;
  let timer: NodeJS.Timeout;
  let renewing: Promise<void> = Promise.resolve();
  const renew = async () => {
    try {
      const renewed = await unlessTaken(write({ IfMatch: etag! }));
      if (renewed !== undefined) {
        etag = renewed;
        return;
      }
      const found = await readLease(s3, Bucket);
      if (isMine(found?.record)) etag = found!.etag;
      else lost = true;
    } catch {
      // Another kind of failure may pass before the lease expires; the next renewal tries again.
    }
  };
  // One after the other: two at once would take each other for a stranger.
  const schedule = () => {
    timer = setTimeout(() => {
      renewing = renew().finally(() => {
        if (!lost && !released) schedule();
      });
    }, ttlMs / 3);
    timer.unref();
  };
  schedule();
  return {
    check: () => {
      if (lost) throw held(undefined);
    },
    release: async () => {
      released = true;
      clearTimeout(timer);
      await renewing;
      if (lost) return;
      await s3
        .send(new DeleteObjectCommand({ Bucket, Key: LEASE_KEY, IfMatch: etag }))
        .catch(async (error: unknown) => {
          // Whatever else it is, the lease expires by itself.
          if (!isAwsError(error, "NotImplemented")) return;
          // LocalStack has conditional writes and no conditional deletes.
          const found = await readLease(s3, Bucket).catch(() => undefined);
          if (found?.etag === etag) {
            await s3.send(new DeleteObjectCommand({ Bucket, Key: LEASE_KEY })).catch(() => {});
          }
        });
    },
  };
}

async function readLease(
  s3: S3Client,
  Bucket: string,
): Promise<{ record: LeaseRecord | undefined; etag: string } | undefined> {
  try {
    const answer = await s3.send(new GetObjectCommand({ Bucket, Key: LEASE_KEY }));
    const text = (await answer.Body?.transformToString()) ?? "";
    return { record: parseLease(text), etag: answer.ETag ?? "" };
  } catch (error) {
    if (isAwsError(error, "NoSuchKey")) return undefined;
    throw error;
  }
}

/** Undefined for what is no lease: it then binds nobody. */
function parseLease(text: string): LeaseRecord | undefined {
  try {
    const record = JSON.parse(text) as LeaseRecord;
    return Number.isNaN(Date.parse(record.expires)) ? undefined : record;
  } catch {
    return undefined;
  }
}

function isDead(
  record: LeaseRecord | undefined,
  now: number,
  isAlive: (pid: number, markedAt: number) => boolean,
): boolean {
  if (record === undefined || Date.parse(record.expires) <= now) return true;
  const at = record.holder.lastIndexOf(":");
  const pid = Number(record.holder.slice(at + 1));
  return (
    record.holder.slice(0, at) === hostname() && Number.isInteger(pid) && !isAlive(pid, Date.parse(record.acquired))
  );
}

/** Undefined when the condition of the write did not hold. */
async function unlessTaken(write: Promise<string>): Promise<string | undefined> {
  try {
    return await write;
  } catch (error) {
    if (isTaken(error)) return undefined;
    throw error;
  }
}

function isTaken(error: unknown): boolean {
  return isAwsError(error, "PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey");
}

function held(record: LeaseRecord | undefined): MinilakeError {
  const who = record
    ? `${record.holder} is running "minilake ${record.work}" since ${record.acquired}`
    : "somebody else has just taken the lease";
  return new MinilakeError("LeaseHeld", `Another run is changing this lake: ${who}.`, {
    hint: record
      ? `Wait for it to end. If it has died, the lease expires at ${record.expires}.`
      : "Wait for it to end, and run the same command again.",
  });
}
