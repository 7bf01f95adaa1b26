import { type LakeStage, plural, stageOf, type VerifiedLake } from "./lake.ts";
import { isOfOneObject, reasonOf } from "./lakeReader.ts";
import { readReceipt } from "./receiptState.ts";
import type { Finding } from "./report.ts";

/** A stored object of a live source that the source does not explain. */
export interface UnexpectedObject {
  key: string;
  /** YYYY-MM-DD; undefined for what is not in curated. */
  partition: string | undefined;
  finding: Finding;
}

export interface Unexplained {
  /** Findings about objects whose source is not in raw. */
  loose: Finding[];
  /** Source -> its stored objects that it does not explain. */
  ofLiveSources: Map<string, UnexpectedObject[]>;
  /** Objects of curated among them, which count in the table. */
  looseObjects: { partition: string; key: string }[];
  /** Sources in raw without a receipt that have outputs all the same. */
  withoutReceipt: Set<string>;
}

export interface Known {
  isExplained(bucket: string, key: string): boolean;
  isWanted(source: string): boolean;
  /** May look at S3. */
  isLive(source: string): Promise<boolean>;
  /** True for a live source without a receipt of its present content. */
  isWaiting(source: string): boolean;
  /** Told of each object that is listed. */
  onListed(): void;
}

/** A stored object, and what it would have to come from. */
interface Place {
  lake: LakeStage;
  bucket: string;
  key: string;
  source: string;
  partition?: string;
}

/**
 * Lists trusted, curated, quarantine and receipts for objects that no live raw object explains.
 *
 * A source that was deleted from raw leaves nothing behind, or, with onDelete "keep", what its last receipts list.
 */
export async function findUnexplained(lake: VerifiedLake, known: Known): Promise<Unexplained> {
  const search = new Search(lake, known);
  const { trusted, curated, quarantine, control } = lake.definition.buckets;
  const { as } = lake.definition.configuration.partition;
  const ending = lake.definition.configuration.format === "parquet" ? "\\.parquet" : "";
  const curatedName = new RegExp(`^${as}=(\\d{4}-\\d{2}-\\d{2})/(.+)${ending}$`, "s");
  if (trusted !== undefined) {
    await search.bucket(trusted, (key) => ({ lake: stageOf(lake, "validate"), bucket: trusted, key, source: key }));
  }
  await search.bucket(curated, (key) => {
    const [, partition, source] = curatedName.exec(key) ?? [];
    if (partition === undefined || source === undefined) return undefined;
    return { lake: stageOf(lake, "curate"), bucket: curated, key, source, partition };
  });
  await search.bucket(quarantine, (key) => {
    for (const { name } of lake.stages) {
      const source = between(key, `${name}/`, ".rejects.csv");
      if (source !== undefined) return { lake: stageOf(lake, name), bucket: quarantine, key, source };
    }
    return undefined;
  });
  for (const stage of lake.stages) {
    const prefix = `receipts/${stage.name}/`;
    for await (const { key } of lake.reader.list(control, prefix)) {
      known.onListed();
      const source = between(key, prefix, ".json");
      if (source !== undefined) await search.receipt({ lake: { ...lake, stage }, bucket: control, key, source });
    }
  }
  return search.found;
}

class Search {
  readonly found: Unexplained = {
    loose: [],
    looseObjects: [],
    ofLiveSources: new Map(),
    withoutReceipt: new Set(),
  };
  readonly #lake: VerifiedLake;
  readonly #known: Known;
  /** "stage source" of sources that are gone from raw -> how many objects their receipt explains, and how. */
  readonly #leftovers = new Map<string, { count: number; kept: Set<string> }>();

  constructor(lake: VerifiedLake, known: Known) {
    this.#lake = lake;
    this.#known = known;
  }

  /** Looks at every object of a bucket. placeOf gives undefined for a name that the lake does not give. */
  async bucket(bucket: string, placeOf: (key: string) => Place | undefined): Promise<void> {
    for await (const { key } of this.#lake.reader.list(bucket)) {
      this.#known.onListed();
      if (this.#known.isExplained(bucket, key)) continue;
      const place = placeOf(key);
      if (place === undefined) this.#strange(bucket, key);
      else if (this.#known.isWanted(place.source)) await this.#guarded(place, () => this.#unexplained(place));
    }
  }

  /** A receipt of a source that is gone says that its removal is done. */
  async receipt(place: Place): Promise<void> {
    const { lake, bucket, key, source } = place;
    if (this.#known.isExplained(bucket, key) || !this.#known.isWanted(source)) return;
    await this.#guarded(place, async () => {
      if (await this.#known.isLive(source)) return;
      const receipt = (await readReceipt(lake, source))?.receipt;
      if (receipt?.status === "removed" || lake.definition.configuration.onDelete === "keep") return;
      const count = this.#leftovers.get(`${lake.stage.name} ${source}`)?.count ?? 0;
      this.found.loose.push({
        type: "unprocessed",
        stage: lake.stage.name,
        source,
        bucket,
        key,
        count,
        message: `${source} was deleted from raw, and ${lake.stage.name} has not answered yet: ${plural(count, "object")} of it left`,
      });
    });
  }

  #strange(bucket: string, key: string): void {
    if (!this.#known.isWanted(key)) return;
    this.found.loose.push({
      type: "orphan-object",
      bucket,
      key,
      message: `${key} in ${bucket} has a name that the lake does not give`,
    });
  }

  async #unexplained(place: Place): Promise<void> {
    const { lake, bucket, key, source, partition } = place;
    if (await this.#known.isLive(source)) {
      // A comparison that has just been made for a new object may have explained it.
      if (this.#known.isExplained(bucket, key)) return;
      if (!this.#known.isWaiting(source)) this.#unexpected(place);
      else if ((await readReceipt({ ...lake, stage: lake.stages[0]! }, source)) === undefined) {
        this.found.withoutReceipt.add(source);
      }
      return;
    }
    const leftover = await this.#leftoverOf(place);
    if (leftover.kept.has(`${bucket}/${key}`)) {
      // The receipt explains it: it is kept on purpose, or its removal is still to come.
      leftover.count += 1;
      return;
    }
    if (partition !== undefined) this.found.looseObjects.push({ partition, key });
    this.found.loose.push({
      type: "orphan-object",
      stage: lake.stage.name,
      source,
      bucket,
      key,
      ...(partition === undefined ? {} : { partition }),
      message: `${key} in ${bucket} comes from ${source}, which is not in raw`,
    });
  }

  #unexpected({ lake, bucket, key, source, partition }: Place): void {
    const { quarantine, trusted } = lake.definition.buckets;
    const objects = this.found.ofLiveSources.get(source) ?? [];
    const why =
      bucket === quarantine
        ? `${key} is in quarantine, but ${source} has no rejected rows there`
        : bucket === trusted
          ? `The trusted object ${key} should not exist: the file is refused whole`
          : `${key} should not exist: ${source} has no rows of that day`;
    objects.push({
      key,
      partition,
      finding: {
        type: bucket === quarantine ? "unexpected-quarantine-record" : "stale-output",
        stage: lake.stage.name,
        source,
        bucket,
        key,
        ...(partition === undefined ? {} : { partition }),
        message: why,
      },
    });
    this.found.ofLiveSources.set(source, objects);
  }

  async #leftoverOf({ lake, source }: Place): Promise<{ count: number; kept: Set<string> }> {
    const name = `${lake.stage.name} ${source}`;
    let leftover = this.#leftovers.get(name);
    if (leftover === undefined) {
      const receipt = (await readReceipt(lake, source))?.receipt;
      const outputs = receipt === undefined || receipt.status === "removed" ? [] : receipt.outputs;
      leftover = { count: 0, kept: new Set(outputs.map((output) => `${output.bucket}/${output.key}`)) };
      this.#leftovers.set(name, leftover);
    }
    return leftover;
  }

  /** What is wrong with one object does not end the run. */
  async #guarded({ lake, bucket, key, source }: Place, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!isOfOneObject(error) || lake.reader.aborted) throw error;
      this.found.loose.push({
        type: "unreadable-object",
        stage: lake.stage.name,
        source,
        bucket,
        key,
        message: `${key} in ${bucket} could not be looked at: ${reasonOf(error)}`,
      });
    }
  }
}

function between(text: string, before: string, after: string): string | undefined {
  if (!text.startsWith(before) || !text.endsWith(after)) return undefined;
  const middle = text.slice(before.length, text.length - after.length);
  return middle === "" ? undefined : middle;
}
