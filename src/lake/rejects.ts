import type { S3Client } from "@aws-sdk/client-s3";
import type { Receipt } from "../contract/receipt.ts";
import { type RejectRecord, readRejectRecords } from "../lake/quarantine.ts";

export type { RejectRecord } from "../lake/quarantine.ts";

/** The first records of what quarantine holds of a file; fewer when it has fewer. */
export async function readRejects(s3: S3Client, receipt: Receipt, limit: number): Promise<RejectRecord[]> {
  const output = receipt.outputs.find(({ kind }) => kind === "quarantine");
  if (!output) return [];
  const records: RejectRecord[] = [];
  for await (const record of readRejectRecords(s3, output.bucket, output.key)) {
    records.push(record);
    if (records.length >= limit) break;
  }
  return records;
}
