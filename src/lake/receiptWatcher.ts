import { HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Clients } from "../backends/clients.ts";
import { receiptKey } from "../contract/derivedKeys.ts";
import type { Receipt } from "../contract/receipt.ts";
import { isAwsError } from "../errors.ts";
import { peekDeadLetters } from "./deadLetters.ts";
import type { LakeDefinition, StageDefinition } from "./definition.ts";
import { compareKeys, getReceipt, inParallel, isSettled, listKeys } from "./receipts.ts";
import type { IngestSource } from "./sources.ts";
import type { UploadedObject } from "./upload.ts";

interface Awaited {
  source: IngestSource;
  object: UploadedObject;
  /** Receipts of the stages that have answered; the next one is awaited. */
  receipts: Receipt[];
  /** What the awaited receipt must speak of: the raw object, then what the stage before has made of it. */
  expected: UploadedObject;
  since: number;
  /** ETag of the receipt that was read last, so that the same is not read twice. */
  seen: string | undefined;
}

export interface Found {
  status: "done" | "rejected" | "superseded" | "failed";
  receipts: Receipt[];
  error?: { message: string; hint?: string };
}

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

/** Waits for the receipts of many raw objects, of every stage in its turn, without a poll per object. */
export class ReceiptWatcher {
  onSettled: (source: IngestSource, object: UploadedObject, found: Found) => void = () => {};
  readonly #clients: Clients;
  readonly #s3: S3Client;
  readonly #definition: LakeDefinition;
  readonly #signal: AbortSignal;
  #wake: () => void = () => {};
  readonly #awaited = new Map<string, Awaited>();
  /** When set, no more are added, and after it no more are waited for. */
  #deadline: number | undefined;
  #delay = FIRST_DELAY_MS;
  #nextSuspicion = 0;

  constructor(clients: Clients, s3: S3Client, definition: LakeDefinition, signal: AbortSignal) {
    this.#clients = clients;
    this.#s3 = s3;
    this.#definition = definition;
    this.#signal = signal;
  }

  add(source: IngestSource, object: UploadedObject): void {
    const since = performance.now();
    this.#awaited.set(source.key, { source, object, receipts: [], expected: object, since, seen: undefined });
    this.#delay = this.#awaited.size < LIST_FROM ? FIRST_DELAY_MS : FIRST_DELAY_OF_MANY_MS;
    if (this.#awaited.size === 1) this.#wake();
  }

  /** No more are added. */
  close(timeoutMs: number): void {
    this.#deadline = performance.now() + timeoutMs;
    this.#wake();
  }

  pending(): { source: IngestSource; object: UploadedObject; receipts: Receipt[]; error: Found["error"] }[] {
    return [...this.#awaited.values()].map(({ source, object, receipts }) => ({
      source,
      object,
      receipts,
      error: {
        message: `${source.key} is stored, and has no receipt${receipts.length > 0 ? ` of ${this.#stageOf(receipts).name}` : ""} yet.`,
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

  #stageOf({ length }: Receipt[]): StageDefinition {
    return this.#definition.stages[length]!;
  }

  /** Those whose receipt is new since it was last read, by one listing per stage over the range of their keys. */
  async #changed(awaited: Awaited[]): Promise<Awaited[]> {
    const changed: Awaited[] = [];
    for (const stage of this.#definition.stages) {
      const here = awaited.filter(({ receipts }) => this.#stageOf(receipts) === stage);
      if (here.length === 0) continue;
      const byReceipt = new Map(here.map((each) => [receiptKey(stage.name, each.source.key), each]));
      const keys = [...byReceipt.keys()].sort(compareKeys);
      const [first, last] = [keys[0]!, keys.at(-1)!];
      const range = { prefix: commonPrefix(first, last), until: last, signal: this.#signal };
      for await (const { key, etag } of listKeys(this.#s3, this.#definition.buckets.control, range)) {
        const each = byReceipt.get(key);
        if (each === undefined || each.seen === etag) continue;
        each.seen = etag;
        changed.push(each);
      }
    }
    return changed;
  }

  async #look(each: Awaited): Promise<void> {
    const { source, receipts } = each;
    const stage = this.#stageOf(receipts);
    const receipt = await getReceipt(this.#s3, this.#definition, stage.name, source.key);
    if (receipt === undefined || !isSettled(receipt) || !speaksOf(receipt, each.expected)) return;
    // Two looks at once may both find it.
    if (each.receipts !== receipts) return;
    each.receipts = [...receipts, receipt];
    const passedOn = receipt.outputs.find(({ kind }) => kind === "trusted");
    if (receipt.status === "rejected") return this.#settle(each, { status: "rejected", receipts: each.receipts });
    if (each.receipts.length === this.#definition.stages.length || passedOn === undefined) {
      return this.#settle(each, { status: "done", receipts: each.receipts });
    }
    each.expected = { etag: passedOn.etag, versionId: undefined };
    each.seen = undefined;
    each.since = performance.now();
    this.#delay = Math.min(this.#delay, FIRST_DELAY_OF_MANY_MS);
  }

  /** Why is it late: did the function give up on it, or is another version there by now? */
  async #suspect(late: Awaited[]): Promise<void> {
    const letters = await peekDeadLetters(this.#clients, this.#definition);
    const failures = new Map<string, string>();
    for (const { objects, error } of letters) {
      for (const { bucket, key, versionId } of objects) {
        failures.set(`${bucket}\n${key}\n${versionId ?? ""}`, error);
      }
    }
    await inParallel(late, READS_IN_FLIGHT, async (each) => {
      const { source, receipts, expected } = each;
      const { name, sourceBucket } = this.#stageOf(receipts);
      const failure = failures.get(`${sourceBucket}\n${source.key}\n${expected.versionId ?? ""}`);
      // The receipt may have come in the meantime.
      await this.#look(each);
      if (!this.#awaited.has(source.key) || each.receipts !== receipts) return;
      if (failure !== undefined) {
        return this.#settle(each, {
          status: "failed",
          receipts,
          error: {
            message: `The function ${name} gave up on ${source.key}: ${failure || "it said no reason"}`,
            hint: "The file is stored and its event is in the dead-letter queue. See why: minilake dlq why",
          },
        });
      }
      if (await this.#isSuperseded(each)) this.#settle(each, { status: "superseded", receipts });
    });
  }

  async #isSuperseded({ source, object }: Awaited): Promise<boolean> {
    try {
      const current = await this.#s3.send(
        new HeadObjectCommand({ Bucket: this.#definition.buckets.raw, Key: source.key }),
      );
      return (
        (object.versionId !== undefined && current.VersionId !== object.versionId) ||
        current.ETag?.replaceAll('"', "") !== object.etag
      );
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
