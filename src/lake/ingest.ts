import { setMaxListeners } from "node:events";
import type { Clients } from "../backends/clients.ts";
import type { Receipt } from "../contract/receipt.ts";
import { isAwsError, MinilakeError } from "../errors.ts";
import type { LakeDefinition } from "./definition.ts";
import { inParallel } from "./receipts.ts";
import { ReceiptWatcher } from "./receiptWatcher.ts";
import { findReceived } from "./received.ts";
import type { IngestSource } from "./sources.ts";
import { SINGLE_PUT_BYTES, type UploadedObject, uploadSource } from "./upload.ts";
import { throwIfInterrupted } from "./waiting.ts";

export interface IngestOptions {
  /** Files on their way at a time. @default 16 */
  concurrency?: number;
  /** False: only uploads. @default true */
  wait?: boolean;
  /** Do not upload what the lake has already, byte for byte, and as the functions of today put it. @default false */
  skipReceived?: boolean;
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
  /** True when the raw bucket held the same bytes already, and nothing was uploaded. */
  received: boolean;
  /** One per stage that has answered, in the order of the stages. */
  receipts: Receipt[];
  /** Of a file that is done: over all stages. */
  rows: OutcomeRows | undefined;
  error: { message: string; hint?: string } | undefined;
  /** From the start of the upload until the outcome was known. */
  durationMs: number;
}

export interface OutcomeRows {
  read: number;
  /** In curated. */
  accepted: number;
  /** In quarantine, of whatever stage. */
  rejected: number;
  rejectedByRule: Record<string, number>;
  /** Values of the partition, in order. */
  partitions: string[];
}

/** What became of a file's rows, from the receipts of all its stages; undefined unless the last of them is done. */
export function rowsOf(receipts: Receipt[]): OutcomeRows | undefined {
  const [first, last] = [receipts[0], receipts.at(-1)];
  if (first === undefined || last?.status !== "done") return undefined;
  const rejectedByRule: Record<string, number> = {};
  for (const { rows } of receipts) {
    for (const [rule, count] of Object.entries(rows.rejectedByRule)) {
      rejectedByRule[rule] = (rejectedByRule[rule] ?? 0) + count;
    }
  }
  return {
    read: first.rows.read,
    accepted: last.rows.accepted,
    rejected: receipts.reduce((sum, { rows }) => sum + rows.rejected, 0),
    rejectedByRule,
    partitions: [...new Set(last.outputs.flatMap(({ partition }) => partition ?? []))].sort(),
  };
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
  const received = options.skipReceived ? await findReceived(clients, definition, sources, { signal }) : new Map();
  const settle = (
    source: IngestSource,
    status: IngestStatus,
    { object, receipts = [], error }: Partial<Pick<IngestOutcome, "object" | "receipts" | "error">> = {},
  ) => {
    const { name, key, size } = source;
    const durationMs = performance.now() - (began.get(key) ?? started);
    const rows = status === "done" ? rowsOf(receipts) : undefined;
    const wasThere = received.has(key);
    outcomes.set(key, { name, key, size, status, object, received: wasThere, receipts, rows, error, durationMs });
    progress.filesSettled++;
    progress.rows += rows?.read ?? 0;
    progress.rowsRejected += rows?.rejected ?? 0;
    tell();
  };
  const watcher = new ReceiptWatcher(clients, s3, definition, signal);
  watcher.onSettled = (source, object, found) => settle(source, found.status, { ...found, object });

  const upload = async (source: IngestSource) => {
    began.set(source.key, performance.now());
    const onBytes = (bytes: number) => {
      progress.bytesUploaded += bytes;
      tell();
    };
    let object: UploadedObject | undefined = received.get(source.key);
    if (object) onBytes(source.size);
    try {
      object ??= await uploadSource(s3, raw, source, { signal, onBytes });
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
  for (const { source, object, receipts, error } of watcher.pending())
    settle(source, "pending", { object, receipts, error });
  const inOrder = sources.map(({ key }) => outcomes.get(key)!);
  return {
    outcomes: inOrder,
    ok: inOrder.every(({ status }) => status === "done" || status === "rejected" || status === "uploaded"),
    durationMs: performance.now() - started,
  };
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
