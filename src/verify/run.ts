import { setTimeout as delay } from "node:timers/promises";
import { adviceFor } from "./advice.ts";
import { type Comparison, compareSource, isAnswered, type SourceResult } from "./compareSource.ts";
import { eachOf } from "./concurrent.ts";
import { explainQuarantine } from "./explainQuarantine.ts";
import { explainRows } from "./explainRows.ts";
import type { VerifyOptions } from "./index.ts";
import { isShortened, objectName, plural, shortName, type VerifiedLake } from "./lake.ts";
import { isOfOneObject, reasonOf, type StoredObject } from "./lakeReader.ts";
import { hashName } from "./multiset.ts";
import { NameSet } from "./nameSet.ts";
import { findUnexplained, type UnexpectedObject } from "./orphans.ts";
import { Progress } from "./progress.ts";
import { type DuplicateKeys, type Finding, MAX_FINDINGS, type VerifyProgress, type VerifyReport } from "./report.ts";
import { showKeys } from "./showKeys.ts";
import { Tally } from "./tally.ts";

/**
 * Raw objects that are compared at a time: many small ones, because each takes a few answers of S3, or few large ones, of
 * which each has one body open. The reads of all are bounded together.
 */
const CONCURRENT_SOURCES = 16;
const LARGE_BYTES = 4 * 1024 * 1024;
const LARGE_COUNTS_AS = 4;

const costOf = ({ size }: StoredObject): number => (size > LARGE_BYTES ? LARGE_COUNTS_AS : 1);

/** Sources whose findings are looked at a second time, and explained row by row. The others are reported as first seen. */
const MAX_SUSPECTS = 1_000;

interface Waiting {
  stage: NonNullable<Finding["stage"]>;
  why: string;
  /** Of the content that was compared so far. */
  etag: string;
  /** What the stages before have made of it. */
  result: SourceResult | undefined;
}

interface Suspect {
  result: SourceResult;
  unexpected: UnexpectedObject[];
}

/** One run of verify: what is known so far. */
export class Run {
  readonly #lake: VerifiedLake;
  readonly #options: VerifyOptions;
  readonly only: Set<string> | undefined;
  readonly #progress: Progress;
  /** hashName of each raw key that is there. */
  readonly #live = new NameSet();
  /** Names of stored objects that a raw object explains. */
  readonly #explained = new NameSet();
  readonly #tally = new Tally();
  /** Raw objects that a stage has not answered for yet. */
  readonly #waiting = new Map<string, Waiting>();
  /** Raw objects that could not be compared, and the error. */
  readonly #failed = new Map<string, string>();
  #timedOut: Finding | undefined;
  /** Sources with something wrong. `unexpected`: stored objects of theirs that should not be there. */
  readonly #suspects = new Map<string, Suspect>();
  /** Findings that belong to no live source. */
  #loose: Finding[] = [];
  #looseObjects: { partition: string; key: string }[] = [];
  #duplicates: DuplicateKeys[] = [];
  #quiet = true;

  constructor(lake: VerifiedLake, options: VerifyOptions) {
    this.#lake = lake;
    this.#options = options;
    this.#progress = new Progress(options.onProgress);
    this.only = options.keys === undefined ? undefined : new Set(options.keys);
  }

  async list(): Promise<void> {
    this.#tell("list");
    for await (const object of this.#rawObjects()) {
      this.#progress.found(object.size);
    }
  }

  async *#rawObjects(): AsyncGenerator<StoredObject> {
    const { since } = this.#options;
    for await (const object of this.#lake.reader.list(this.#lake.rawBucket)) {
      if (this.only?.has(object.key) === false) continue;
      if (since !== undefined && object.modified !== undefined && object.modified.getTime() < since) continue;
      yield object;
    }
  }

  async compareAll(): Promise<void> {
    this.#tell("compare");
    await eachOf(
      this.#rawObjects(),
      CONCURRENT_SOURCES,
      async (object) => {
        await this.#compare(object);
        this.#progress.compared();
      },
      costOf,
    );
  }

  /** Told of bytes of raw objects as they are read. */
  readRaw(bytes: number): void {
    this.#progress.read(bytes);
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
      object = await this.#lake.reader.head(this.#lake.rawBucket, listed.key);
    }
    this.#forget(listed.key);
    if (object === undefined) {
      this.#live.delete(hashName(listed.key));
      return;
    }
    this.#setLive(object.key);
    if (comparison.state === "compared") this.#keep(comparison.result);
    else if (comparison.state === "unprocessed") {
      const { stage, why, result } = comparison;
      this.#waiting.set(object.key, { stage, why, etag: object.etag, result });
      if (result !== undefined) this.#keep(result);
    } else {
      const stage = this.#lake.stages[0]!.name;
      this.#waiting.set(object.key, { stage, why: "it keeps changing", etag: "", result: undefined });
    }
  }

  #setLive(key: string): void {
    this.#live.add(hashName(key));
    // What is left of it in control and quarantine has its short name.
    if (isShortened(key)) this.#live.add(hashName(shortName(key)));
  }

  #keep(result: SourceResult): void {
    for (const name of result.explained) this.#explained.add(name);
    this.#tally.add(result, 1);
    if (result.keyFile !== undefined) this.#lake.keys?.keep(result.keyFile);
    if (isWrong(result)) this.#suspects.set(result.source.key, { result, unexpected: [] });
  }

  #forget(key: string): void {
    this.#failed.delete(key);
    const result = this.#suspects.get(key)?.result ?? this.#waiting.get(key)?.result;
    this.#waiting.delete(key);
    this.#suspects.delete(key);
    if (result === undefined) return;
    this.#tally.add(result, -1);
    if (result.keyFile !== undefined) this.#lake.keys?.forget(result.keyFile);
    for (const name of result.explained) this.#explained.delete(name);
  }

  async waitForProcessing(deadline: number, pollMs: number): Promise<void> {
    while (this.#waiting.size > 0 && Date.now() < deadline) {
      this.#tell("wait");
      await this.#pause(deadline, pollMs);
      await eachOf([...this.#waiting.keys()], CONCURRENT_SOURCES, (key) => this.#compareAnswered(key));
    }
  }

  /** What waits is read again when there is an answer, not at every look. */
  async #compareAnswered(key: string): Promise<void> {
    const object = await this.#lake.reader.head(this.#lake.rawBucket, key);
    if (object === undefined) this.#forgetGone(key);
    else if (this.#waiting.get(key)?.etag !== object.etag || (await isAnswered(this.#lake, object))) {
      await this.#compare(object);
    }
  }

  async #compareByKey(key: string): Promise<void> {
    const object = await this.#lake.reader.head(this.#lake.rawBucket, key);
    if (object === undefined) this.#forgetGone(key);
    else await this.#compare(object);
  }

  #forgetGone(key: string): void {
    this.#forget(key);
    this.#live.delete(hashName(key));
  }

  /** Looks for stored objects that no raw object explains. */
  async findUnexplained(): Promise<void> {
    this.#tell("orphans");
    const shortNames = new Set([...(this.only ?? [])].flatMap((key) => [key, shortName(key)]));
    const isAsked = (source: string): boolean =>
      (this.only === undefined || shortNames.has(source)) &&
      (this.#options.since === undefined || this.#live.has(hashName(source)));
    const found = await findUnexplained(this.#lake, {
      isExplained: (bucket, key) => this.#explained.has(objectName(bucket, key)),
      // Of what could not be compared there is a finding already.
      isWanted: (source) => !this.#failed.has(source) && isAsked(source),
      isLive: (source) => this.#isLive(source),
      isWaiting: (source) => this.#waiting.has(source),
      onListed: () => this.#progress.listed(),
    });
    this.#loose = found.loose;
    this.#looseObjects = found.looseObjects;
    for (const suspect of this.#suspects.values()) suspect.unexpected = [];
    for (const source of found.withoutReceipt) {
      const object = await this.#lake.reader.head(this.#lake.rawBucket, source);
      if (object !== undefined) await this.#compare(object, true);
    }
    for (const [source, objects] of found.ofLiveSources) {
      if (!this.#suspects.has(source)) {
        const object = await this.#lake.reader.head(this.#lake.rawBucket, source);
        if (object === undefined) continue;
        const comparison = await compareSource(this.#lake, object);
        if (comparison.state !== "compared") continue;
        // Its keys are known already.
        const result = { ...comparison.result, keyFile: undefined };
        this.#suspects.set(source, { result, unexpected: [] });
      }
      this.#suspects.get(source)!.unexpected = objects;
    }
  }

  /** An object that arrived after the listing is compared now, so that its outputs do not look like orphans. */
  async #isLive(source: string): Promise<boolean> {
    if (this.#live.has(hashName(source))) return true;
    const object = await this.#lake.reader.head(this.#lake.rawBucket, source);
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
      const again = new Set([...this.#suspects.keys(), ...this.#failed.keys()]);
      await eachOf([...again], CONCURRENT_SOURCES, (key) => this.#compareByKey(key));
      await eachOf([...this.#waiting.keys()], CONCURRENT_SOURCES, (key) => this.#compareAnswered(key));
      await this.waitForProcessing(deadline, pollMs);
      await this.findUnexplained();
    }
    this.#quiet = this.#waiting.size === 0 && !this.#loose.some(({ type }) => type === "unprocessed");
  }

  #fingerprint(): string {
    const lines = this.#loose.map(({ message }) => message);
    for (const [key, { result, unexpected }] of this.#suspects) {
      const { differing, trustedDiffers, quarantineDiffers, findings } = result;
      lines.push(
        `${key} ${differing.join()} ${trustedDiffers} ${quarantineDiffers.join()} ${unexpected.map((object) => object.key).join()}`,
        ...findings.map(({ message }) => message),
      );
    }
    for (const [key, { why }] of this.#waiting) lines.push(`${key} ${why}`);
    for (const [key, why] of this.#failed) lines.push(`${key} ${why}`);
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
      for (const [partition, { ok }] of result.partitions) if (!ok) this.#tally.markWrong(partition);
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
      } else if (result.differing.length > 0 || result.trustedDiffers) {
        const places = result.differing.length + (result.trustedDiffers ? 1 : 0);
        result.findings.push({
          type: "changed-row",
          source: result.source.key,
          count: places,
          message: `Rows of ${result.source.key} differ in ${plural(places, "stored object")}`,
        });
      }
      for (const object of unexpected) {
        result.findings.push(object.finding);
        if (object.partition !== undefined) await this.#countStray(object.partition, object.key);
      }
    }
    for (const { partition, key } of this.#looseObjects) await this.#countStray(partition, key);
  }

  async #countStray(partition: string, key: string): Promise<void> {
    let rows = 0;
    try {
      const { reader, curated, definition } = this.#lake;
      const stored = await curated.read(reader, definition.buckets.curated, key);
      if (stored === undefined) return;
      rows = stored.rows.count;
    } catch (error) {
      if (!isOfOneObject(error) || this.#lake.reader.aborted) throw error;
    }
    this.#tally.addStray(partition, rows);
  }

  /** Keys that stand in several raw objects. */
  async findDuplicates(): Promise<void> {
    const { keys } = this.#lake;
    if (keys === undefined) return;
    this.#tell("duplicates");
    const { samples = 5, values = false } = this.#options;
    this.#duplicates = keys.find(samples);
    if (values) for (const found of this.#duplicates) await showKeys(this.#lake, found);
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
    const { definition, reader } = this.#lake;
    const { since } = this.#options;
    const findings = this.#allFindings(deadLetters);
    for (const { partition } of findings) if (partition !== undefined) this.#tally.markWrong(partition);
    const listed = findings.slice(0, MAX_FINDINGS).map((finding) => {
      const advice = adviceFor(this.#lake, finding);
      return advice === undefined ? finding : { ...finding, advice };
    });
    return {
      lake: definition.name,
      ok: findings.length === 0 && !(this.#options.uniqueAcrossFiles === true && this.#duplicates.length > 0),
      quiet: this.#quiet,
      partitions: this.#tally.partitions(),
      totals: this.#tally.totals,
      findings: listed,
      duplicates: this.#duplicates,
      findingsOmitted: findings.length - listed.length,
      objectsRead: reader.objectsRead,
      bytesRead: reader.bytesRead,
      ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
      started: new Date(startedAt).toISOString(),
      durationMs: Date.now() - startedAt,
    };
  }

  #allFindings(deadLetters: Finding | undefined): Finding[] {
    const bucket = this.#lake.rawBucket;
    const findings: Finding[] = [...this.#loose];
    for (const { result } of this.#suspects.values()) findings.push(...result.findings);
    for (const [key, { stage, why }] of this.#waiting) {
      findings.push({
        type: "unprocessed",
        stage,
        source: key,
        bucket,
        key,
        message: `${key} is in raw and not yet in the lake: ${why}`,
      });
    }
    for (const [key, why] of this.#failed) {
      findings.push({
        type: "unreadable-object",
        source: key,
        bucket,
        key,
        message: `${key} could not be compared: ${why}`,
      });
    }
    if (this.#timedOut !== undefined) findings.push(this.#timedOut);
    for (const key of this.#timedOut === undefined ? (this.only ?? []) : []) {
      if (this.#live.has(hashName(key)) || this.#options.since !== undefined) continue;
      findings.push({ type: "missing-object", bucket, source: key, key, message: `There is no ${key} in ${bucket}` });
    }
    if (deadLetters !== undefined) findings.push(deadLetters);
    return findings.sort(
      (left, right) => compare(left.source ?? "", right.source ?? "") || compare(left.message, right.message),
    );
  }

  #tell(phase: VerifyProgress["phase"]): void {
    this.#progress.enter(phase, this.#waiting.size);
  }

  async #pause(deadline: number, pollMs: number): Promise<void> {
    await delay(Math.max(0, Math.min(pollMs, deadline - Date.now())), undefined, { signal: this.#options.signal });
  }
}

const isWrong = ({ findings, differing, trustedDiffers, quarantineDiffers }: SourceResult): boolean =>
  findings.length > 0 || differing.length > 0 || trustedDiffers || quarantineDiffers.length > 0;

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
