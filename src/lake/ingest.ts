import { setMaxListeners } from "node:events";
import { HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Clients } from "../backends/clients.ts";
import { receiptKey } from "../contract/derivedKeys.ts";
import type { Receipt } from "../contract/receipt.ts";
import { isAwsError, MinilakeError } from "../errors.ts";
import { peekDeadLetters } from "./deadLetters.ts";
import type { LakeDefinition, StageDefinition } from "./definition.ts";
import { compareKeys, getReceipt, inParallel, isSettled, listKeys } from "./receipts.ts";
import type { IngestSource } from "./sources.ts";
import { SINGLE_PUT_BYTES, type UploadedObject, uploadSource } from "./upload.ts";
import { throwIfInterrupted } from "./waiting.ts";

export interface IngestOptions {
  /** Files on their way at a time. @default 16 */
  concurrency?: number;
  /** False: only uploads. @default true */
  wait?: boolean;
  /** How long to wait for the receipts after the last upload; what is then not settled is "pending". @default 15 minutes */
  timeoutMs?: number;
  onProgress?: ((progress: IngestProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface IngestProgress {
  files: number;
  bytes: number;
  /** Bytes that the endpoint has taken. */
  bytesUploaded: number;
  filesUploaded: number;
  /** Files whose outcome is known, failed ones included. */
  filesSettled: number;
  /** Rows of the files that are done; of a file refused whole nobody knows them. */
  rows: number;
  rowsRejected: number;
}

/**
 * done         every row is in the lake or in quarantine; see the receipt
 * rejected     the file as a whole is in quarantine; see the receipt
 * uploaded     nobody waited
 * pending      no receipt when time ran out; the lake may still get to it
 * superseded   somebody has put another version, or deleted it, before its receipt came
 * failed       see `error`: it was not stored, or the function gave up on it
 */
export type IngestStatus = "done" | "rejected" | "uploaded" | "pending" | "superseded" | "failed";

export interface IngestOutcome {
  name: string;
  key: string;
  /** Bytes. */
  size: number;
  status: IngestStatus;
  /** Undefined when it was not stored. */
  object: UploadedObject | undefined;
  receipt: Receipt | undefined;
  error: { message: string; hint?: string } | undefined;
  /** From the start of the upload until the outcome was known. */
  durationMs: number;
}

export interface IngestResult {
  /** In the order of the sources. */
  outcomes: IngestOutcome[];
  /** Everything is stored and settled. */
  ok: boolean;
  durationMs: number;
}

const CONCURRENCY = 16;
/** Large files fill the line by themselves, each with several parts in flight. */
const LARGE_AT_A_TIME = 2;
const TIMEOUT_MS = 15 * 60_000;

/**
 * Uploads files to the raw bucket and waits until the lake has dealt with each: its receipt speaks of exactly the version that was
 * stored. A file that fails is an outcome, not an exception. Interrupted, it stores no half object and may be run again.
 * Throws MinilakeError Interrupted, NoLake, EndpointUnreachable; AWS's own errors pass through.
 */
export async function ingestFiles(
  clients: Clients,
  definition: LakeDefinition,
  sources: IngestSource[],
  options: IngestOptions = {},
): Promise<IngestResult> {
  const started = performance.now();
  const s3 = await clients.s3();
  const { raw } = definition.buckets;
  // When one half fails, the other one ends, too.
  const failure = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failure.signal]) : failure.signal;
  // Every upload that is under way listens.
  setMaxListeners(0, signal);
  const progress: IngestProgress = {
    files: sources.length,
    bytes: sources.reduce((sum, { size }) => sum + size, 0),
    bytesUploaded: 0,
    filesUploaded: 0,
    filesSettled: 0,
    rows: 0,
    rowsRejected: 0,
  };
  const tell = () => options.onProgress?.({ ...progress });
  const outcomes = new Map<string, IngestOutcome>();
  const began = new Map<string, number>();
  const settle = (
    source: IngestSource,
    status: IngestStatus,
    rest: Partial<Pick<IngestOutcome, "object" | "receipt" | "error">> = {},
  ) => {
    const { name, key, size } = source;
    const durationMs = performance.now() - (began.get(key) ?? started);
    const { object, receipt, error } = rest;
    outcomes.set(key, { name, key, size, status, object, receipt, error, durationMs });
    progress.filesSettled++;
    if (status === "done") {
      progress.rows += receipt?.rows.read ?? 0;
      progress.rowsRejected += receipt?.rows.rejected ?? 0;
    }
    tell();
  };
  const watcher = new ReceiptWatcher(clients, s3, definition, definition.stages.at(-1)!, signal);
  watcher.onSettled = (source, object, found) => settle(source, found.status, { ...found, object });

  const upload = async (source: IngestSource) => {
    began.set(source.key, performance.now());
    const onBytes = (bytes: number) => {
      progress.bytesUploaded += bytes;
      tell();
    };
    let object: UploadedObject;
    try {
      object = await uploadSource(s3, raw, source, { signal, onBytes });
    } catch (error) {
      if (isAwsError(error, "NoSuchBucket")) throw noLake(definition);
      if (error instanceof MinilakeError && error.code === "InputFile") {
        const { message, hint } = error;
        return settle(source, "failed", { error: hint === undefined ? { message } : { message, hint } });
      }
      throw error;
    }
    progress.filesUploaded++;
    tell();
    if (options.wait ?? true) watcher.add(source, object);
    else settle(source, "uploaded", { object });
  };
  const large = sources.filter(({ size }) => size > SINGLE_PUT_BYTES);
  const small = sources.filter(({ size }) => size <= SINGLE_PUT_BYTES);
  const width = options.concurrency ?? CONCURRENCY;
  const uploading = async () => {
    await Promise.all([inParallel(small, width, upload), inParallel(large, Math.min(width, LARGE_AT_A_TIME), upload)]);
    watcher.close(options.timeoutMs ?? TIMEOUT_MS);
  };
  const halves = [uploading(), watcher.run()].map((half) =>
    half.catch((error: unknown) => {
      if (!failure.signal.aborted) failure.abort(error);
    }),
  );
  await Promise.all(halves);
  throwIfInterrupted(options.signal);
  if (failure.signal.aborted) throw withProgress(failure.signal.reason, progress);
  for (const { source, object, error } of watcher.pending()) settle(source, "pending", { object, error });
  const inOrder = sources.map(({ key }) => outcomes.get(key)!);
  return {
    outcomes: inOrder,
    ok: inOrder.every(({ status }) => status === "done" || status === "rejected" || status === "uploaded"),
    durationMs: performance.now() - started,
  };
}

interface Awaited {
  source: IngestSource;
  object: UploadedObject;
  since: number;
  /** ETag of the receipt that was read last, so that the same is not read twice. */
  seen: string | undefined;
}

type Found = {
  status: "done" | "rejected" | "superseded" | "failed";
  receipt?: Receipt;
  error?: IngestOutcome["error"];
};

/** A single poll costs one read per file; from here on, one listing tells for all of them what is new. */
const LIST_FROM = 6;
const FIRST_DELAY_MS = 5;
const FIRST_DELAY_OF_MANY_MS = 40;
const MAX_DELAY_MS = 1_000;
/** A poll that takes long is not repeated at once. */
const REST_PER_POLL = 2;
/** What takes longer than this may have failed, or been overtaken. */
const SUSPICIOUS_MS = 3_000;
const SUSPICION_EVERY_MS = 2_000;
const READS_IN_FLIGHT = 8;

/** Waits for the receipts of many objects at once, without a poll per object. */
class ReceiptWatcher {
  onSettled: (source: IngestSource, object: UploadedObject, found: Found) => void = () => {};
  readonly #clients: Clients;
  readonly #s3: S3Client;
  readonly #definition: LakeDefinition;
  readonly #stage: StageDefinition;
  readonly #signal: AbortSignal;
  #wake: () => void = () => {};
  readonly #awaited = new Map<string, Awaited>();
  /** When set, no more are added, and after it no more are waited for. */
  #deadline: number | undefined;
  #delay = FIRST_DELAY_MS;
  #nextSuspicion = 0;

  constructor(clients: Clients, s3: S3Client, definition: LakeDefinition, stage: StageDefinition, signal: AbortSignal) {
    this.#clients = clients;
    this.#s3 = s3;
    this.#definition = definition;
    this.#stage = stage;
    this.#signal = signal;
  }

  add(source: IngestSource, object: UploadedObject): void {
    this.#awaited.set(source.key, { source, object, since: performance.now(), seen: undefined });
    this.#delay = this.#awaited.size < LIST_FROM ? FIRST_DELAY_MS : FIRST_DELAY_OF_MANY_MS;
    if (this.#awaited.size === 1) this.#wake();
  }

  /** No more are added. */
  close(timeoutMs: number): void {
    this.#deadline = performance.now() + timeoutMs;
    this.#wake();
  }

  pending(): { source: IngestSource; object: UploadedObject; error: IngestOutcome["error"] }[] {
    return [...this.#awaited.values()].map(({ source, object }) => ({
      source,
      object,
      error: {
        message: `${source.key} is stored, and has no receipt yet.`,
        hint: "The lake may still get to it: minilake status shows its backlog, and the function's last errors.",
      },
    }));
  }

  /** Resolves when everything added is settled or time has run out. */
  async run(): Promise<void> {
    while (this.#deadline === undefined || (this.#awaited.size > 0 && performance.now() < this.#deadline)) {
      if (this.#signal.aborted) return;
      if (this.#awaited.size === 0) {
        await this.#sleep(MAX_DELAY_MS);
        continue;
      }
      const before = performance.now();
      await this.#poll();
      const took = performance.now() - before;
      if (this.#awaited.size === 0) continue;
      await this.#sleep(Math.max(this.#delay, took * REST_PER_POLL));
      this.#delay = Math.min(this.#delay * 1.5, MAX_DELAY_MS);
    }
  }

  /** Ends early when there is something new to wait for, or nothing more will come. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#signal.removeEventListener("abort", end);
        this.#wake = () => {};
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#signal.addEventListener("abort", end);
      this.#wake = end;
    });
  }

  async #poll(): Promise<void> {
    const awaited = [...this.#awaited.values()];
    const changed = awaited.length < LIST_FROM ? awaited : await this.#changed(awaited);
    await inParallel(changed, READS_IN_FLIGHT, (each) => this.#look(each));
    const now = performance.now();
    if (now < this.#nextSuspicion) return;
    const late = [...this.#awaited.values()].filter(({ since }) => now - since > SUSPICIOUS_MS);
    if (late.length === 0) return;
    await this.#suspect(late);
    this.#nextSuspicion = performance.now() + SUSPICION_EVERY_MS;
  }

  /** Those whose receipt is new since it was last read, by one listing over the range of their keys. */
  async #changed(awaited: Awaited[]): Promise<Awaited[]> {
    const stage = this.#stage.name;
    const byReceipt = new Map(awaited.map((each) => [receiptKey(stage, each.source.key), each]));
    const keys = [...byReceipt.keys()].sort(compareKeys);
    const [first, last] = [keys[0]!, keys.at(-1)!];
    const changed: Awaited[] = [];
    const range = { prefix: commonPrefix(first, last), until: last, signal: this.#signal };
    for await (const { key, etag } of listKeys(this.#s3, this.#definition.buckets.control, range)) {
      const each = byReceipt.get(key);
      if (each === undefined || each.seen === etag) continue;
      each.seen = etag;
      changed.push(each);
    }
    return changed;
  }

  async #look(each: Awaited): Promise<void> {
    const receipt = await getReceipt(this.#s3, this.#definition, this.#stage.name, each.source.key);
    if (receipt === undefined || !isSettled(receipt) || !speaksOf(receipt, each.object)) return;
    this.#settle(each, { status: receipt.status === "rejected" ? "rejected" : "done", receipt });
  }

  /** Why is it late: did the function give up on it, or is another version there by now? */
  async #suspect(late: Awaited[]): Promise<void> {
    const letters = await peekDeadLetters(this.#clients, this.#definition);
    const failures = new Map<string, string>();
    for (const { objects, error } of letters) {
      for (const { bucket, key, versionId } of objects) {
        if (bucket === this.#stage.sourceBucket) failures.set(`${key}\n${versionId ?? ""}`, error);
      }
    }
    await inParallel(late, READS_IN_FLIGHT, async (each) => {
      const { source, object } = each;
      const failure = failures.get(`${source.key}\n${object.versionId ?? ""}`);
      // The receipt may have come in the meantime.
      await this.#look(each);
      if (!this.#awaited.has(source.key)) return;
      if (failure !== undefined) {
        return this.#settle(each, {
          status: "failed",
          error: {
            message: `The function gave up on ${source.key}: ${failure || "it said no reason"}`,
            hint: "The file is stored and its event is in the dead-letter queue. minilake status shows the function's last errors.",
          },
        });
      }
      if (await this.#isSuperseded(each)) this.#settle(each, { status: "superseded" });
    });
  }

  async #isSuperseded({ source, object }: Awaited): Promise<boolean> {
    try {
      const current = await this.#s3.send(new HeadObjectCommand({ Bucket: this.#stage.sourceBucket, Key: source.key }));
      return current.VersionId !== object.versionId || current.ETag?.replaceAll('"', "") !== object.etag;
    } catch (error) {
      if (isAwsError(error, "NotFound", "NoSuchKey")) return true;
      throw error;
    }
  }

  #settle(each: Awaited, found: Found): void {
    // Two looks at once may both find it.
    if (!this.#awaited.delete(each.source.key)) return;
    this.onSettled(each.source, each.object, found);
  }
}

function speaksOf({ status, source }: Receipt, object: UploadedObject): boolean {
  if (status === "removed" || source.etag !== object.etag) return false;
  return object.versionId === undefined || source.versionId === object.versionId;
}

function commonPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  // Not between the halves of one character.
  if (length > 0 && /[\ud800-\udbff]/.test(a[length - 1]!)) length--;
  return a.slice(0, length);
}

const CONNECTION_LOST = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;

/** An endpoint that is gone in the middle of the work: how far it came. Everything else is passed on as it is. */
function withProgress(error: unknown, { files, filesUploaded }: IngestProgress): unknown {
  let code: string | undefined;
  for (let each = error; each instanceof Error && code === undefined; each = each.cause) {
    const errors: unknown[] = [each, ...(each instanceof AggregateError ? each.errors : [])];
    code = errors.map((one) => (one as NodeJS.ErrnoException).code).find((one) => CONNECTION_LOST.test(one ?? ""));
  }
  if (code === undefined) return error;
  const message = `The AWS endpoint stopped answering (${code}) when ${filesUploaded} of ${files} files were uploaded.`;
  return new MinilakeError("EndpointUnreachable", message, {
    hint: "Bring it back (the embedded one: minilake up) and run the same command again: it goes on to the end, and no row counts twice.",
    cause: error,
  });
}

function noLake(definition: LakeDefinition): MinilakeError {
  return new MinilakeError(
    "NoLake",
    `There is no lake "${definition.name}" here: its bucket ${definition.buckets.raw} is not there.`,
    {
      hint: "Make it: minilake up",
    },
  );
}
