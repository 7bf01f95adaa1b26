import type { S3Client } from "@aws-sdk/client-s3";
import type { LakeDefinition } from "../lake/definition.ts";
import { type ListedKey, listKeys } from "../lake/receipts.ts";

export type TableName = "curated" | "trusted" | "quarantine" | "raw" | "receipts";

/** What can be asked, and what a row of it is. `trusted` is there when the lake has a contract. */
export const TABLES: Record<TableName, string> = {
  curated: "rows of the lake, with their partition",
  trusted: "rows that keep the contract, before they are partitioned",
  quarantine: "rejected rows, each with its reason",
  raw: "one row per file as received",
  receipts: "one row per file and stage: what became of it",
};

export function tablesOf(definition: LakeDefinition): TableName[] {
  return (Object.keys(TABLES) as TableName[]).filter((table) => bucketOf(definition, table) !== undefined);
}

export function bucketOf({ buckets }: LakeDefinition, table: TableName): string | undefined {
  return table === "receipts" ? buckets.control : buckets[table];
}

/** The objects that a table is made of, as they are now. */
export async function listTable(
  s3: S3Client,
  definition: LakeDefinition,
  table: TableName,
  signal: AbortSignal | undefined,
): Promise<ListedKey[]> {
  const prefix = table === "receipts" ? "receipts/" : "";
  const objects: ListedKey[] = [];
  for await (const object of listKeys(s3, bucketOf(definition, table)!, { prefix, signal })) {
    if (object.size > 0) objects.push(object);
  }
  return objects;
}

/** YYYY-MM-DD of a curated key; undefined for one that the lake has not written. */
export function partitionOfKey(definition: LakeDefinition, key: string): string | undefined {
  const { as } = definition.configuration.partition;
  const day = key.startsWith(`${as}=`) ? key.slice(as.length + 1, as.length + 11) : "";
  return /^\d{4}-\d\d-\d\d$/.test(day) && key[as.length + 11] === "/" ? day : undefined;
}
