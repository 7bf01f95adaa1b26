import type { LakeDefinition, StageDefinition } from "../lake/definition.ts";
import type { DayZone } from "./days.ts";
import type { LakeReader } from "./lakeReader.ts";
import { hashName } from "./multiset.ts";

/** The lake as one run of verify sees it. */
export interface VerifiedLake {
  reader: LakeReader;
  definition: LakeDefinition;
  stage: StageDefinition;
  zone: DayZone;
  /** Told of bytes of raw objects as they are read. */
  onRawBytes(bytes: number): void;
}

export const curatedKey = (as: string, partition: string, key: string): string => `${as}=${partition}/${key}`;
export const quarantineKey = (stage: string, key: string): string => `${stage}/${key}.rejects.csv`;
export const receiptKey = (stage: string, key: string): string => `receipts/${stage}/${key}.json`;
export const objectName = (bucket: string, key: string): number => hashName(`${bucket}/${key}`);

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
