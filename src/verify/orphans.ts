import { readReceipt } from "./compareSource.ts";
import type { UnexpectedObject } from "./index.ts";
import { plural, type VerifiedLake } from "./lake.ts";
import { isOfOneObject, reasonOf } from "./lakeReader.ts";
import type { Finding } from "./report.ts";

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
}

/**
 * Lists curated, quarantine and receipts for objects that no live raw object explains.
 *
 * A source that was deleted from raw leaves nothing behind, or, with onDelete "keep", what its last receipt lists.
 */
export async function findUnexplained(lake: VerifiedLake, known: Known): Promise<Unexplained> {
  const { reader, definition, stage } = lake;
  const { curated, quarantine, control } = definition.buckets;
  const found: Unexplained = { loose: [], looseObjects: [], ofLiveSources: new Map(), withoutReceipt: new Set() };
  /** Sources that are gone from raw and whose removal is not done -> how many objects they still have. */
  const leftovers = new Map<string, { count: number; kept: Set<string> | undefined }>();

  const strange = (bucket: string, key: string): void => {
    if (known.isExplained(bucket, key) || !known.isWanted(key)) return;
    found.loose.push({
      type: "orphan-object",
      bucket,
      key,
      message: `${key} in ${bucket} has a name that the lake does not give`,
    });
  };

  const unexplained = async (bucket: string, key: string, source: string, partition?: string): Promise<void> => {
    if (known.isExplained(bucket, key) || !known.isWanted(source)) return;
    if (await known.isLive(source)) {
      // A comparison that has just been made for a new object may have explained it.
      if (known.isExplained(bucket, key)) return;
      if (known.isWaiting(source)) {
        if ((await readReceipt(lake, source)) === undefined) found.withoutReceipt.add(source);
        return;
      }
      const objects = found.ofLiveSources.get(source) ?? [];
      objects.push({
        key,
        partition,
        finding: {
          type: bucket === quarantine ? "unexpected-quarantine-record" : "stale-output",
          stage: stage.name,
          source,
          bucket,
          key,
          ...(partition === undefined ? {} : { partition }),
          message:
            bucket === quarantine
              ? `${key} is in quarantine, but ${source} has no rejected rows`
              : `${key} should not exist: ${source} has no rows of that day`,
        },
      });
      found.ofLiveSources.set(source, objects);
      return;
    }
    let leftover = leftovers.get(source);
    if (leftover === undefined) {
      const receipt = (await readReceipt(lake, source))?.receipt;
      const kept =
        receipt === undefined || receipt.status === "removed"
          ? undefined
          : new Set(receipt.outputs.map((output) => `${output.bucket}/${output.key}`));
      leftover = { count: 0, kept };
      leftovers.set(source, leftover);
    }
    if (leftover.kept?.has(`${bucket}/${key}`) === true) {
      // The receipt explains it: it is kept on purpose, or its removal is still to come.
      leftover.count += 1;
      return;
    }
    if (partition !== undefined) found.looseObjects.push({ partition, key });
    found.loose.push({
      type: "orphan-object",
      stage: stage.name,
      source,
      bucket,
      key,
      ...(partition === undefined ? {} : { partition }),
      message: `${key} in ${bucket} comes from ${source}, which is not in raw`,
    });
  };

  /** What is wrong with one object does not end the run. */
  const named = async (bucket: string, key: string, source: string, act: () => Promise<void>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      if (!isOfOneObject(error) || reader.aborted) throw error;
      found.loose.push({
        type: "unreadable-object",
        stage: stage.name,
        source,
        bucket,
        key,
        message: `${key} in ${bucket} could not be looked at: ${reasonOf(error)}`,
      });
    }
  };

  for await (const { key } of reader.list(curated)) {
    const parsed = new RegExp(`^${definition.configuration.partition.as}=(\\d{4}-\\d{2}-\\d{2})/(.+)$`, "s").exec(key);
    if (parsed === null) strange(curated, key);
    else await named(curated, key, parsed[2]!, () => unexplained(curated, key, parsed[2]!, parsed[1]));
  }
  for await (const { key } of reader.list(quarantine)) {
    const source = between(key, `${stage.name}/`, ".rejects.csv");
    if (source === undefined) strange(quarantine, key);
    else await named(quarantine, key, source, () => unexplained(quarantine, key, source));
  }
  for await (const { key } of reader.list(control, `receipts/${stage.name}/`)) {
    const source = between(key, `receipts/${stage.name}/`, ".json");
    if (source === undefined || known.isExplained(control, key) || !known.isWanted(source)) continue;
    await named(control, key, source, async () => {
      if (await known.isLive(source)) return;
      const receipt = (await readReceipt(lake, source))?.receipt;
      if (receipt?.status === "removed" || definition.configuration.onDelete === "keep") return;
      const count = leftovers.get(source)?.count ?? 0;
      found.loose.push({
        type: "unprocessed",
        stage: stage.name,
        source,
        bucket: control,
        key,
        count,
        message: `${source} was deleted from raw, and the lake has not answered yet: ${plural(count, "object")} of it left`,
      });
    });
  }
  return found;
}

function between(text: string, before: string, after: string): string | undefined {
  if (!text.startsWith(before) || !text.endsWith(after)) return undefined;
  const middle = text.slice(before.length, text.length - after.length);
  return middle === "" ? undefined : middle;
}
