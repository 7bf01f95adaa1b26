import { createHash } from "node:crypto";
import type { LakeDefinition, StageDefinition } from "../lake/definition.ts";
import type { CuratedForm } from "./curatedForm.ts";
import type { DayZone } from "./days.ts";
import type { LakeReader } from "./lakeReader.ts";
import { hashName } from "./multiset.ts";
import type { UniqueKeys } from "./uniqueKeys.ts";

/** The lake as one run of verify sees it. */
export interface VerifiedLake {
  reader: LakeReader;
  definition: LakeDefinition;
  /** In the order of the data's way: curate, or validate and then curate. */
  stages: StageDefinition[];
  rawBucket: string;
  zone: DayZone;
  curated: CuratedForm;
  /** Told of bytes of raw objects as they are read. */
  onRawBytes(bytes: number): void;
  /** Where keys that must be unique across files are noted, in a lake whose contract has such. */
  keys: UniqueKeys | undefined;
}

/** One stage of the lake. */
export interface LakeStage extends VerifiedLake {
  stage: StageDefinition;
}

export const stageOf = (lake: VerifiedLake, name: StageDefinition["name"]): LakeStage => ({
  ...lake,
  stage: lake.stages.find((stage) => stage.name === name)!,
});

/** The stage that reads raw. */
export const firstStage = (lake: VerifiedLake): LakeStage => ({ ...lake, stage: lake.stages[0]! });

/** Key of the curated object of one day. */
export function curatedKey({ definition }: VerifiedLake, partition: string, key: string): string {
  const { partition: by, format } = definition.configuration;
  return `${by.as}=${partition}/${key}${format === "parquet" ? ".parquet" : ""}`;
}

export const quarantineKey = (stage: string, key: string): string => `${stage}/${shortName(key)}.rejects.csv`;
export const receiptKey = (stage: string, key: string): string => `receipts/${stage}/${shortName(key)}.json`;

/** A longer key, in bytes of UTF-8, leaves no room for what S3 allows the keys that derive from it. */
const LONGEST_KEY_BYTES = 1_000;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const S3_KEY_BYTES = 1_024;

/** Whether `curate` refuses a file of this key whole, because there is no room for the keys of its curated objects. */
export const isKeyTooLong = (lake: VerifiedLake, key: string): boolean =>
  isShortened(key) || Buffer.byteLength(curatedKey(lake, "2000-01-01", key)) > S3_KEY_BYTES;

export const isShortened = (key: string): boolean => Buffer.byteLength(key) > LONGEST_KEY_BYTES;

/** What derived keys have for the key: the key itself, or of a key that is too long its beginning and its hash. */
export function shortName(key: string): string {
  if (!isShortened(key)) return key;
  const bytes = Buffer.from(key, "utf8");
  let end = 960;
  // Not within a character.
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString("utf8", 0, end)}~${createHash("sha256").update(bytes).digest("hex").slice(0, 32)}`;
}

export const objectName = (bucket: string, key: string): number => hashName(`${bucket}/${key}`);

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
