import { setTimeout as delay } from "node:timers/promises";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { MinilakeError } from "../errors.ts";
import type { LakeDefinition } from "../lake/definition.ts";
import { type Comparison, compareSource, type SourceResult } from "./compareSource.ts";
import { dayZone } from "./days.ts";
import { findDeadLetters } from "./deadLetters.ts";
import { explainQuarantine, explainRows } from "./explain.ts";
import { isShortened, objectName, plural, shortName, type VerifiedLake } from "./lake.ts";
import { isOfOneObject, LakeReader, reasonOf, type StoredObject } from "./lakeReader.ts";
import { hashName } from "./multiset.ts";
import { findUnexplained } from "./orphans.ts";
import { type Finding, MAX_FINDINGS, type PartitionRow, type VerifyProgress, type VerifyReport } from "./report.ts";
import { readStoredRows } from "./storedRows.ts";

export type { Finding, FindingType, PartitionRow, RowSample, VerifyProgress, VerifyReport } from "./report.ts";

export interface VerifyOptions {
  s3: S3Client;
  /** Without it the dead-letter queue is not looked at. */
  sqs?: SQSClient;
  definition: LakeDefinition;
  /**
   * How long to take. 0: look once, for as long as it takes. Default: for as long as it takes, and 60,000 of waiting for
   * work that is under way.
   */
  timeoutMs?: number;
  /** Default 500. */
  pollMs?: number;
  /** Only these raw objects, and what came from them. */
  keys?: string[];
  /** Rows shown per finding. Default 5. */
  samples?: number;
  /** Show the cells of wrong rows, not only their line numbers. Default false. */
  values?: boolean;
  onProgress?: (progress: VerifyProgress) => void;
  signal?: AbortSignal;
}

/** Raw objects that are compared at a time; each has one body open, and the reads of all are bounded together. */
const CONCURRENT_SOURCES = 4;

/** Progress is told at least this often. */
const TOLD_BYTES = 1024 * 1024;

/** Sources whose findings are looked at a second time, and explained row by row. The others are reported as first seen. */
const MAX_SUSPECTS = 1_000;

/**
 * Recomputes the lake from its raw objects and compares everything that is stored with it.
 *
 * It parses with csv-parse and shares no code with the functions that it judges. It reads and never writes. Work that
 * is under way is waited for, up to timeoutMs: a finding counts when it is seen twice, or when time is up.
 * What only the function knows is believed when it looks right: times, request id, code, sequencer, the sentences of
 * `why` in a receipt, and the wording of the message of a quarantine record.
 * Memory: one row at a time per object that is compared, sums per partition, and about 50 bytes per stored object.
 *
 * Throws MinilakeError NoLake when a bucket is missing, and what the SDK throws otherwise.
 */
export async function verifyLake(options: VerifyOptions): Promise<VerifyReport> {
  const { s3, definition, signal } = options;
  const startedAt = Date.now();
  const deadline = startedAt + (options.timeoutMs ?? 60_000);
  const pollMs = options.pollMs ?? 500;
  const stage = definition.stages.find(({ name }) => name === "curate");
  if (stage === undefined || definition.stages.length !== 1) {
    throw new MinilakeError("Internal", `verify knows lakes of one stage "curate", and ${definition.name} has others`);
  }
  const timer = options.timeoutMs === undefined || options.timeoutMs === 0 ? undefined : new AbortController();
  const clock = timer === undefined ? undefined : setTimeout(() => timer.abort(), options.timeoutMs);
  const signals = [signal, timer?.signal].filter((each) => each !== undefined);
  const reader = new LakeReader(s3, signals.length === 0 ? undefined : AbortSignal.any(signals));
  const lake: VerifiedLake = {
    reader,
    definition,
    stage,
    zone: dayZone(definition.configuration.partition.timezone),
    onRawBytes: (bytes) => {
      // Timers wait while there is always more to parse.
      if (timer !== undefined && Date.now() >= deadline) timer.abort();
      run.readRaw(bytes);
    },
  };
  const run: Run = new Run(lake, options);
  try {
    await run.list();
    await run.compareAll();
    await run.waitForProcessing(deadline, pollMs);
    await run.findUnexplained();
    await run.lookAgain(deadline, pollMs);
    await run.explain();
  } catch (error) {
    if (timer?.signal.aborted === true && signal?.aborted !== true) {
      run.timeIsUp(options.timeoutMs!);
    } else if (error instanceof Error && error.name === "NoSuchBucket") {
      throw new MinilakeError("NoLake", `A bucket of the lake ${definition.name} does not exist`, {
        hint: "To make it, run: minilake up",
        cause: error,
      });
    } else {
      throw error;
    }
  } finally {
    clearTimeout(clock);
  }
  const deadLetters =
    options.sqs === undefined ? undefined : await findDeadLetters(options.sqs, definition, signal, run.only);
  return run.report(startedAt, deadLetters);
}

/** One run of verify: what is known so far. */
class Run {
  readonly #lake: VerifiedLake;
  readonly #options: VerifyOptions;
  readonly only: Set<string> | undefined;
  readonly #progress: VerifyProgress = {
    phase: "list",
    objectsDone: 0,
    objectsTotal: 0,
    bytesDone: 0,
    bytesTotal: 0,
    waiting: 0,
  };
  /** hashName of each raw key that is there. */
  readonly #live = new Set<number>();
  /** Names of stored objects that a raw object explains. */
  readonly #explained = new Set<number>();
  readonly #partitions = new Map<string, PartitionRow>();
  readonly #totals: VerifyReport["totals"] = {
    rawObjects: 0,
    rawBytes: 0,
    curatedObjects: 0,
    quarantineObjects: 0,
    rowsRead: 0,
    rowsAccepted: 0,
    rowsRejected: 0,
    rowsStored: 0,
    rowsQuarantined: 0,
    filesRejected: 0,
  };
  /** Raw objects that no receipt answers yet, and why. */
  readonly #waiting = new Map<string, string>();
  /** Raw objects that could not be compared, and the error. */
  readonly #failed = new Map<string, string>();
  #timedOut: Finding | undefined;
  /** Sources with something wrong. `unexpected`: stored objects of theirs that should not be there. */
  readonly #suspects = new Map<string, Suspect>();
  /** Findings that belong to no live source. */
  #loose: Finding[] = [];
  #looseObjects: { partition: string; key: string }[] = [];
  #quiet = true;

  constructor(lake: VerifiedLake, options: VerifyOptions) {
    this.#lake = lake;
    this.#options = options;
    this.only = options.keys === undefined ? undefined : new Set(options.keys);
  }

  async list(): Promise<void> {
    this.#tell("list");
    for await (const object of this.#rawObjects()) {
      this.#progress.objectsTotal += 1;
      this.#progress.bytesTotal += object.size;
    }
  }

  async *#rawObjects(): AsyncGenerator<StoredObject> {
    for await (const object of this.#lake.reader.list(this.#lake.stage.sourceBucket)) {
      if (this.only === undefined || this.only.has(object.key)) yield object;
    }
  }

  async compareAll(): Promise<void> {
    this.#tell("compare");
    await eachOf(this.#rawObjects(), CONCURRENT_SOURCES, async (object) => {
      await this.#compare(object);
      this.#progress.objectsDone += 1;
      this.#tell("compare");
    });
  }

  /** Bytes of a raw object have been read; large objects are told of while they are. */
  readRaw(bytes: number): void {
    const progress = this.#progress;
    if (progress.phase !== "compare") return;
    const before = Math.floor(progress.bytesDone / TOLD_BYTES);
    progress.bytesDone = Math.min(progress.bytesDone + bytes, progress.bytesTotal);
    if (Math.floor(progress.bytesDone / TOLD_BYTES) > before) this.#tell("compare");
  }

  /** Compares one raw object, again if it was compared before. An object that is gone is forgotten. */
  async #compare(listed: StoredObject, withoutReceipt = false): Promise<void> {
    let object: StoredObject | undefined = listed;
    let comparison: Comparison = { state: "changed" };
    for (let attempt = 0; object !== undefined && attempt < 5; attempt += 1) {
      try {
        comparison = await compareSource(this.#lake, object, withoutReceipt);
      } catch (error) {
        if (!isOfOneObject(error) || this.#lake.reader.aborted) throw error;
        this.#forget(listed.key);
        this.#setLive(listed.key);
        this.#failed.set(listed.key, reasonOf(error));
        return;
      }
      if (comparison.state === "folder") return;
      if (comparison.state !== "changed") break;
      object = await this.#lake.reader.head(this.#lake.stage.sourceBucket, listed.key);
    }
    this.#forget(listed.key);
    if (object === undefined) {
      this.#live.delete(hashName(listed.key));
      return;
    }
    this.#setLive(object.key);
    if (comparison.state === "compared") this.#keep(comparison.result);
    else this.#waiting.set(object.key, comparison.state === "changed" ? "it keeps changing" : comparison.why);
  }

  #setLive(key: string): void {
    this.#live.add(hashName(key));
    // What is left of it in control and quarantine has its short name.
    if (isShortened(key)) this.#live.add(hashName(shortName(key)));
  }

  #keep(result: SourceResult): void {
    for (const name of result.explained) this.#explained.add(name);
    this.#add(result, 1);
    if (isWrong(result)) {
      this.#suspects.set(result.source.key, { result, unexpected: [] });
    }
  }

  #forget(key: string): void {
    this.#failed.delete(key);
    this.#waiting.delete(key);
    const suspect = this.#suspects.get(key);
    if (suspect === undefined) return;
    this.#suspects.delete(key);
    this.#add(suspect.result, -1);
    for (const name of suspect.result.explained) this.#explained.delete(name);
  }

  /** Adds a source to the totals, or takes it out. */
  #add(result: SourceResult, sign: 1 | -1): void {
    const { rows } = result;
    const totals = this.#totals;
    totals.rawObjects += sign;
    totals.rawBytes += sign * result.source.size;
    totals.curatedObjects += sign * result.curatedObjects;
    totals.quarantineObjects += sign * result.quarantineObjects;
    totals.rowsRead += sign * rows.read;
    totals.rowsAccepted += sign * rows.accepted;
    totals.rowsRejected += sign * rows.rejected;
    totals.rowsStored += sign * rows.stored;
    totals.rowsQuarantined += sign * rows.quarantined;
    totals.filesRejected += result.refused ? sign : 0;
    for (const [partition, { objects, expected, stored }] of result.partitions) {
      const row = this.#partition(partition);
      row.objects += sign * objects;
      row.rowsExpected += sign * expected;
      row.rowsStored += sign * stored;
    }
  }

  #partition(partition: string): PartitionRow {
    let row = this.#partitions.get(partition);
    if (row === undefined) {
      row = { partition, objects: 0, rowsExpected: 0, rowsStored: 0, ok: true };
      this.#partitions.set(partition, row);
    }
    return row;
  }

  async waitForProcessing(deadline: number, pollMs: number): Promise<void> {
    while (this.#waiting.size > 0 && Date.now() < deadline) {
      this.#tell("wait");
      await this.#pause(deadline, pollMs);
      await eachOf([...this.#waiting.keys()], CONCURRENT_SOURCES, (key) => this.#compareByKey(key));
    }
  }

  async #compareByKey(key: string): Promise<void> {
    const object = await this.#lake.reader.head(this.#lake.stage.sourceBucket, key);
    if (object === undefined) {
      this.#forget(key);
      this.#live.delete(hashName(key));
    } else {
      await this.#compare(object);
    }
  }

  /** Looks for stored objects that no raw object explains. */
  async findUnexplained(): Promise<void> {
    this.#tell("orphans");
    const shortNames = new Set([...(this.only ?? [])].flatMap((key) => [key, shortName(key)]));
    const found = await findUnexplained(this.#lake, {
      isExplained: (bucket, key) => this.#explained.has(objectName(bucket, key)),
      // Of what could not be compared there is a finding already.
      isWanted: (source) => !this.#failed.has(source) && (this.only === undefined || shortNames.has(source)),
      isLive: (source) => this.#isLive(source),
      isWaiting: (source) => this.#waiting.has(source),
    });
    this.#loose = found.loose;
    this.#looseObjects = found.looseObjects;
    for (const suspect of this.#suspects.values()) suspect.unexpected = [];
    for (const source of found.withoutReceipt) {
      const object = await this.#lake.reader.head(this.#lake.stage.sourceBucket, source);
      if (object !== undefined) await this.#compare(object, true);
    }
    for (const [source, objects] of found.ofLiveSources) {
      if (!this.#suspects.has(source)) {
        const object = await this.#lake.reader.head(this.#lake.stage.sourceBucket, source);
        if (object === undefined) continue;
        const comparison = await compareSource(this.#lake, object);
        if (comparison.state !== "compared") continue;
        this.#suspects.set(source, { result: comparison.result, unexpected: [] });
      }
      this.#suspects.get(source)!.unexpected = objects;
    }
  }

  /** An object that arrived after the listing is compared now, so that its outputs do not look like orphans. */
  async #isLive(source: string): Promise<boolean> {
    if (this.#live.has(hashName(source))) return true;
    const object = await this.#lake.reader.head(this.#lake.stage.sourceBucket, source);
    if (object === undefined) return false;
    await this.#compare(object);
    return true;
  }

  /** What was wrong may have been a function at work: it is wrong when it is seen twice, or when time is up. */
  async lookAgain(deadline: number, pollMs: number): Promise<void> {
    let before = "";
    for (;;) {
      const now = this.#fingerprint();
      if (now === "" || now === before || Date.now() >= deadline || this.#suspects.size > MAX_SUSPECTS) break;
      before = now;
      this.#tell(this.#waiting.size > 0 ? "wait" : "again");
      await this.#pause(deadline, pollMs);
      const again = new Set([...this.#suspects.keys(), ...this.#waiting.keys(), ...this.#failed.keys()]);
      await eachOf([...again], CONCURRENT_SOURCES, (key) => this.#compareByKey(key));
      await this.waitForProcessing(deadline, pollMs);
      await this.findUnexplained();
    }
    this.#quiet = this.#waiting.size === 0 && !this.#loose.some(({ type }) => type === "unprocessed");
  }

  #fingerprint(): string {
    const lines = this.#loose.map(({ message }) => message);
    for (const [key, { result, unexpected }] of this.#suspects) {
      lines.push(
        `${key} ${result.differing.join()} ${result.quarantineDiffers} ${unexpected.map((object) => object.key).join()}`,
        ...result.findings.map(({ message }) => message),
      );
    }
    for (const [key, why] of [...this.#waiting, ...this.#failed]) lines.push(`${key} ${why}`);
    return lines.sort().join("\n");
  }

  /** Turns sums that differ into findings about rows. */
  async explain(): Promise<void> {
    const { samples = 5, values = false } = this.#options;
    let explained = 0;
    for (const suspect of this.#suspects.values()) {
      const { result, unexpected } = suspect;
      if (unexpected.length === 0 && !isWrong(result)) continue;
      this.#tell("explain");
      for (const partition of result.differing) this.#partition(partition).ok = false;
      if (explained < MAX_SUSPECTS) {
        explained += 1;
        const stray = unexpected.flatMap(({ partition }) => (partition === undefined ? [] : [partition]));
        try {
          const rows = await explainRows(this.#lake, result, stray, { samples, values });
          const records = await explainQuarantine(this.#lake, result, { samples, values });
          result.findings.push(...rows, ...records);
        } catch (error) {
          if (!isOfOneObject(error) || this.#lake.reader.aborted) throw error;
          this.#failed.set(result.source.key, reasonOf(error));
        }
      } else if (result.differing.length > 0) {
        result.findings.push({
          type: "changed-row",
          stage: this.#lake.stage.name,
          source: result.source.key,
          count: result.differing.length,
          message: `Rows of ${result.source.key} differ in ${plural(result.differing.length, "partition")}`,
        });
      }
      for (const object of unexpected) {
        result.findings.push(object.finding);
        if (object.partition !== undefined) await this.#countStray(object.partition, object.key);
      }
    }
    for (const { partition, key } of this.#looseObjects) await this.#countStray(partition, key);
  }

  /** The table shows what is stored, and that is also what should not be. */
  async #countStray(partition: string, key: string): Promise<void> {
    let rows = 0;
    try {
      const stored = await readStoredRows(this.#lake.reader, this.#lake.stage.targetBucket, key);
      if (stored === undefined) return;
      rows = stored.rows.count;
    } catch (error) {
      if (!isOfOneObject(error) || this.#lake.reader.aborted) throw error;
    }
    const row = this.#partition(partition);
    row.objects += 1;
    row.rowsStored += rows;
    row.ok = false;
    this.#totals.curatedObjects += 1;
    this.#totals.rowsStored += rows;
  }

  /** What has been found until then is reported; what has not been looked at is not right. */
  timeIsUp(timeoutMs: number): void {
    const { objectsDone, objectsTotal } = this.#progress;
    this.#quiet = false;
    this.#timedOut = {
      type: "unprocessed",
      message: `Time was up after ${timeoutMs / 1_000} s, with ${objectsDone} of ${plural(objectsTotal, "raw object")} compared. Give it more with --timeout`,
    };
  }

  report(startedAt: number, deadLetters: Finding | undefined): VerifyReport {
    const findings: Finding[] = [...this.#loose];
    for (const { result } of this.#suspects.values()) findings.push(...result.findings);
    for (const [key, why] of this.#waiting) {
      findings.push({
        type: "unprocessed",
        stage: this.#lake.stage.name,
        source: key,
        bucket: this.#lake.stage.sourceBucket,
        key,
        message: `${key} is in raw and not yet in the lake: ${why}`,
      });
    }
    for (const [key, why] of this.#failed) {
      findings.push({
        type: "unreadable-object",
        stage: this.#lake.stage.name,
        source: key,
        bucket: this.#lake.stage.sourceBucket,
        key,
        message: `${key} could not be compared: ${why}`,
      });
    }
    if (this.#timedOut !== undefined) findings.push(this.#timedOut);
    for (const key of this.#timedOut === undefined ? (this.only ?? []) : []) {
      if (this.#live.has(hashName(key))) continue;
      findings.push({
        type: "missing-object",
        bucket: this.#lake.stage.sourceBucket,
        source: key,
        key,
        message: `There is no ${key} in ${this.#lake.stage.sourceBucket}`,
      });
    }
    if (deadLetters !== undefined) findings.push(deadLetters);
    for (const { partition } of findings) {
      if (partition !== undefined) this.#partition(partition).ok = false;
    }
    findings.sort(
      (left, right) => compare(left.source ?? "", right.source ?? "") || compare(left.message, right.message),
    );
    return {
      lake: this.#lake.definition.name,
      ok: findings.length === 0,
      quiet: this.#quiet,
      partitions: [...this.#partitions.values()]
        .filter((row) => row.rowsExpected > 0 || row.rowsStored > 0 || !row.ok)
        .sort((left, right) => compare(left.partition, right.partition)),
      totals: this.#totals,
      findings: findings.slice(0, MAX_FINDINGS),
      findingsOmitted: Math.max(0, findings.length - MAX_FINDINGS),
      objectsRead: this.#lake.reader.objectsRead,
      bytesRead: this.#lake.reader.bytesRead,
      started: new Date(startedAt).toISOString(),
      durationMs: Date.now() - startedAt,
    };
  }

  #tell(phase: VerifyProgress["phase"]): void {
    this.#progress.phase = phase;
    this.#progress.waiting = this.#waiting.size;
    this.#options.onProgress?.({ ...this.#progress });
  }

  async #pause(deadline: number, pollMs: number): Promise<void> {
    await delay(Math.max(0, Math.min(pollMs, deadline - Date.now())), undefined, { signal: this.#options.signal });
  }
}

interface Suspect {
  result: SourceResult;
  unexpected: UnexpectedObject[];
}

/** A stored object of a live source that the source does not explain. */
export interface UnexpectedObject {
  key: string;
  /** YYYY-MM-DD; undefined for objects of quarantine. */
  partition: string | undefined;
  finding: Finding;
}

const isWrong = ({ findings, differing, quarantineDiffers }: SourceResult): boolean =>
  findings.length > 0 || differing.length > 0 || quarantineDiffers;

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

/** Calls `act` for each item, at most `limit` at a time. The first failure stops it, after what has begun. */
async function eachOf<T>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  for await (const item of items) {
    if (failure !== undefined) break;
    const task: Promise<void> = act(item)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => running.delete(task));
    running.add(task);
    if (running.size >= limit) await Promise.race(running);
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure.error;
}
