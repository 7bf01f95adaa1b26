import type { Readable } from "node:stream";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { parse } from "csv-parse";
import type { Clients } from "../backends/clients.ts";
import { quarantineKey } from "../contract/derivedKeys.ts";
import type { REJECT_COLUMNS, Receipt } from "../contract/receipt.ts";
import { isAwsError, MinilakeError } from "../errors.ts";
import type { LakeDefinition, StageDefinition } from "./definition.ts";
import { getReceipt, inParallel, listKeys } from "./receipts.ts";

/** One record of a `.rejects.csv`: see REJECT_COLUMNS for what each column is. */
export type RejectRecord = Record<(typeof REJECT_COLUMNS)[number], string>;

/** What quarantine holds of one source object, by one stage. */
export interface QuarantinedFile {
  stage: string;
  key: string;
  /** The file was refused as a whole. */
  whole: boolean;
  /** Rejected rows; of a file refused whole the one record about it. */
  records: number;
  byRule: Record<string, number>;
  bucket: string;
  object: string;
  /** ISO 8601 UTC, of the run that put it there. */
  time: string;
  receipt: Receipt;
}

export interface QuarantineFilter {
  /** Source keys. */
  keys?: string[] | undefined;
  stage?: string | undefined;
  /** Files with at least one record of this rule. */
  rule?: string | undefined;
  signal?: AbortSignal | undefined;
}

const READS_IN_FLIGHT = 16;
const SUFFIX = ".rejects.csv";

/**
 * Source objects with records in quarantine, in the order of stages and keys.
 * Throws MinilakeError NoLake when there is no bucket.
 */
export async function listQuarantine(
  clients: Clients,
  definition: LakeDefinition,
  { keys, stage: stageName, rule, signal }: QuarantineFilter = {},
): Promise<QuarantinedFile[]> {
  const s3 = await clients.s3();
  const files: QuarantinedFile[] = [];
  for (const stage of definition.stages) {
    if (stageName !== undefined && stage.name !== stageName) continue;
    const objects = keys
      ? keys.map((key) => quarantineKey(stage.name, key))
      : await listObjects(s3, definition, stage, signal);
    const found = new Map<string, QuarantinedFile>();
    await inParallel(objects, READS_IN_FLIGHT, async (object) => {
      // Of a long key that is its short form, of which the receipt's key is made in the same way.
      const key = object.slice(stage.name.length + 1, -SUFFIX.length);
      const receipt = await getReceipt(s3, definition, stage.name, key);
      const output = receipt?.outputs.find(({ kind }) => kind === "quarantine");
      if (!receipt || !output) return;
      const byRule = receipt.rows.rejectedByRule;
      if (rule !== undefined && !byRule[rule]) return;
      found.set(object, {
        stage: stage.name,
        key: receipt.source.key,
        whole: receipt.status === "rejected",
        records: output.rows,
        byRule,
        bucket: output.bucket,
        object: output.key,
        time: receipt.times.finished,
        receipt,
      });
    });
    for (const object of objects) {
      const file = found.get(object);
      if (file) files.push(file);
    }
  }
  return files;
}

async function listObjects(
  s3: S3Client,
  definition: LakeDefinition,
  stage: StageDefinition,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const objects: string[] = [];
  try {
    for await (const { key } of listKeys(s3, definition.buckets.quarantine, { prefix: `${stage.name}/`, signal })) {
      if (key.endsWith(SUFFIX)) objects.push(key);
    }
  } catch (error) {
    if (!isAwsError(error, "NoSuchBucket")) throw error;
    throw new MinilakeError(
      "NoLake",
      `There is no lake "${definition.name}" here: its bucket ${definition.buckets.quarantine} is not there.`,
      { hint: "Make it: minilake up", cause: error },
    );
  }
  return objects;
}

/** The records of a `.rejects.csv`, in its order, read as they are asked for. */
export async function* readRejectRecords(s3: S3Client, Bucket: string, Key: string): AsyncGenerator<RejectRecord> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const body = Body as Readable;
  const parser = parse({ columns: true });
  body.on("error", (error) => parser.destroy(error)).pipe(parser);
  try {
    yield* parser as AsyncIterable<RejectRecord>;
  } finally {
    body.destroy();
  }
}

/** The row as text; of one that is no text, its bytes as Latin-1, so that none is hidden. */
export function rowText({ row, row_encoding }: RejectRecord): string {
  return row_encoding === "base64" ? Buffer.from(row, "base64").toString("latin1") : row;
}
