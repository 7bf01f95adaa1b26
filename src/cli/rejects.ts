import type { Readable } from "node:stream";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { parse } from "csv-parse";
import type { REJECT_COLUMNS, Receipt } from "../contract/receipt.ts";

export type RejectRecord = Record<(typeof REJECT_COLUMNS)[number], string>;

/** The first records of what quarantine holds of a file; fewer when it has fewer. */
export async function readRejects(s3: S3Client, receipt: Receipt, limit: number): Promise<RejectRecord[]> {
  const output = receipt.outputs.find(({ kind }) => kind === "quarantine");
  if (!output) return [];
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: output.bucket, Key: output.key }));
  const body = Body as Readable;
  const records: RejectRecord[] = [];
  const parser = parse({ columns: true });
  body.on("error", (error) => parser.destroy(error)).pipe(parser);
  try {
    for await (const record of parser as AsyncIterable<RejectRecord>) {
      records.push(record);
      if (records.length >= limit) break;
    }
  } finally {
    body.destroy();
  }
  return records;
}
