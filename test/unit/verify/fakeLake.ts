import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { FunctionConfiguration } from "../../../src/contract/functionConfiguration.ts";
import { REJECT_COLUMNS, type Receipt, type ReceiptOutput } from "../../../src/contract/receipt.ts";
import { defineLake, type LakeDefinition } from "../../../src/lake/definition.ts";

export const BUCKETS = {
  raw: "raw-t",
  trusted: "trusted-t",
  curated: "curated-t",
  quarantine: "quarantine-t",
  control: "control-t",
};

export function definitionOf(configuration: Partial<FunctionConfiguration> = {}): LakeDefinition {
  return defineLake(
    {
      lake: "t",
      region: "us-east-1",
      partition: configuration.partition ?? { as: "dt_reference", timezone: "UTC" },
      dialect: configuration.dialect ?? {},
      contract: configuration.contract,
      format: configuration.format,
      onDelete: configuration.onDelete ?? "remove",
      memoryMb: 512,
      timeoutSeconds: 60,
    },
    { accountId: "000000000000" },
  );
}

const md5 = (bytes: Buffer): string => createHash("md5").update(bytes).digest("hex");

class NamedError extends Error {
  constructor(name: string) {
    super(name);
    this.name = name;
  }
}

/** Buckets in memory behind the part of the SDK's S3Client that verify uses. Lists in pages of `pageSize`. */
export class FakeS3 {
  readonly buckets = new Map<string, Map<string, Buffer>>(Object.values(BUCKETS).map((name) => [name, new Map()]));
  /** "bucket/key" -> when it was written; others on 2026-11-01. */
  readonly modified = new Map<string, Date>();
  pageSize = 3;
  chunkSize = 1_000_000;
  gets = 0;
  /** Called before each command; may change the buckets or throw. */
  before: (command: string, input: { Bucket?: string; Key?: string }) => void = () => undefined;

  get client(): S3Client {
    return this as unknown as S3Client;
  }

  bucket(name: string): Map<string, Buffer> {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) throw new NamedError("NoSuchBucket");
    return bucket;
  }

  put(bucket: string, key: string, content: Buffer | string): ReceiptOutput["etag"] {
    const bytes = Buffer.from(content);
    this.bucket(bucket).set(key, bytes);
    return md5(bytes);
  }

  text(bucket: string, key: string): string {
    return this.bucket(bucket).get(key)!.toString("utf8");
  }

  edit(bucket: string, key: string, change: (text: string) => string): void {
    const before = this.text(bucket, key);
    const after = change(before);
    if (after === before) throw new Error(`the edit of ${key} changes nothing`);
    this.put(bucket, key, after);
  }

  async send(command: { constructor: { name: string }; input: Record<string, string | undefined> }): Promise<unknown> {
    const name = command.constructor.name;
    const { Bucket: bucketName = "", Key: key = "", IfMatch: ifMatch } = command.input;
    this.before(name, command.input);
    const bucket = this.bucket(bucketName);
    if (name === "ListObjectsV2Command") {
      const { Prefix: prefix = "", ContinuationToken: token = "" } = command.input;
      const keys = [...bucket.keys()]
        .filter((candidate) => candidate.startsWith(prefix) && candidate > token)
        .sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
      const page = keys.slice(0, this.pageSize);
      const truncated = keys.length > page.length;
      return {
        Contents: page.map((item) => ({
          Key: encodeURIComponent(item).replaceAll("%20", "+"),
          Size: bucket.get(item)!.length,
          ETag: `"${md5(bucket.get(item)!)}"`,
          LastModified: this.modified.get(`${bucketName}/${item}`) ?? new Date("2026-11-01T00:00:00Z"),
        })),
        EncodingType: "url",
        IsTruncated: truncated,
        ...(truncated ? { NextContinuationToken: page.at(-1) } : {}),
      };
    }
    const bytes = bucket.get(key);
    if (bytes === undefined) throw new NamedError(name === "HeadObjectCommand" ? "NotFound" : "NoSuchKey");
    const etag = md5(bytes);
    if (ifMatch !== undefined && ifMatch !== `"${etag}"`) throw new NamedError("PreconditionFailed");
    const answer = { ContentLength: bytes.length, ETag: `"${etag}"` };
    if (name === "HeadObjectCommand") return answer;
    this.gets += 1;
    const chunks: Buffer[] = [];
    for (let start = 0; start < bytes.length; start += this.chunkSize) {
      chunks.push(bytes.subarray(start, start + this.chunkSize));
    }
    return { ...answer, Body: Readable.from(chunks) };
  }
}

/** A queue with these messages, or none at all. */
export function fakeSqs(messages: string[] | undefined): SQSClient {
  const send = async (command: { constructor: { name: string } }): Promise<unknown> => {
    switch (command.constructor.name) {
      case "GetQueueUrlCommand":
        if (messages === undefined) throw new NamedError("QueueDoesNotExist");
        return { QueueUrl: "http://localhost/dead-letters" };
      case "GetQueueAttributesCommand":
        return {
          Attributes: {
            ApproximateNumberOfMessages: String(messages?.length ?? 0),
            ApproximateNumberOfMessagesNotVisible: "0",
            ApproximateNumberOfMessagesDelayed: "0",
          },
        };
      default:
        return { Messages: messages?.map((Body) => ({ Body })) };
    }
  };
  return { send } as unknown as SQSClient;
}

/** One line of a file, with what should become of it. The text has no line ending. */
export type ReferenceLine =
  | { kind: "row"; text: string; day: string /** As curated has it; default `text`. */; stored?: string }
  | { kind: "bad"; text: string; rule: string; column: string }
  | { kind: "blank" };

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/**
 * Writes a raw object of comma, "\n" and UTF-8, and what the lake should make of it, receipt included. This is a second
 * opinion on the rules, by a writer that knows each line's fate from the start.
 */
export function writeReference(s3: FakeS3, key: string, header: string, lines: ReferenceLine[]): Receipt {
  const raw = `${[header, ...lines.map((line) => (line.kind === "blank" ? "" : line.text))].join("\n")}\n`;
  const curated = new Map<string, string[]>();
  const rejects: string[] = [];
  const bytes = { text: 0, header: 0, accepted: 0, rejected: 0, blank: 0, preamble: 0 };
  const rows = { read: 0, accepted: 0, rejected: 0, blank: 0, rejectedByRule: {} as Record<string, number> };
  bytes.header = Buffer.byteLength(header) + 1;
  let physicalLine = 1 + header.split("\n").length;
  let offset = bytes.header;
  for (const line of lines) {
    const text = line.kind === "blank" ? "" : line.text;
    const size = Buffer.byteLength(text) + 1;
    if (line.kind === "blank") {
      rows.blank += 1;
      bytes.blank += size;
    } else if (line.kind === "row") {
      rows.accepted += 1;
      bytes.accepted += size;
      curated.set(line.day, [...(curated.get(line.day) ?? []), line.stored ?? line.text]);
    } else {
      rows.rejected += 1;
      rows.rejectedByRule[line.rule] = (rows.rejectedByRule[line.rule] ?? 0) + 1;
      bytes.rejected += size;
      const record = [key, physicalLine, offset, line.column, line.rule, "why", "text", text];
      rejects.push(record.map((cell) => quoted(String(cell))).join(","));
    }
    offset += size;
    physicalLine += text.split("\n").length;
  }
  rows.read = rows.accepted + rows.rejected;
  bytes.text = Buffer.byteLength(raw);

  const outputs: ReceiptOutput[] = [];
  const write = (output: Omit<ReceiptOutput, "bytes" | "etag">, text: string): void => {
    outputs.push({ ...output, bytes: Buffer.byteLength(text), etag: s3.put(output.bucket, output.key, text) });
  };
  for (const [partition, stored] of curated) {
    write(
      {
        kind: "curated",
        bucket: BUCKETS.curated,
        key: `dt_reference=${partition}/${key}`,
        partition,
        rows: stored.length,
      },
      `${[header, ...stored].join("\n")}\n`,
    );
  }
  if (rejects.length > 0) {
    write(
      {
        kind: "quarantine",
        bucket: BUCKETS.quarantine,
        key: `curate/${key}.rejects.csv`,
        rows: rejects.length,
      },
      `${[REJECT_COLUMNS.join(","), ...rejects].join("\n")}\n`,
    );
  }
  const columns = header.split(",");
  const receipt: Receipt = {
    version: 1,
    lake: "t",
    stage: "curate",
    status: "done",
    source: {
      bucket: BUCKETS.raw,
      key,
      versionId: null,
      etag: s3.put(BUCKETS.raw, key, raw),
      size: bytes.text,
      sequencer: "01",
    },
    contract: null,
    code: "0".repeat(64),
    dialect: {
      compression: null,
      encoding: "utf-8",
      bom: false,
      delimiter: ",",
      quote: '"',
      newline: "\n",
      preambleLines: 0,
      columns,
      why: [],
    },
    partition: { column: "day", as: "dt_reference", timezone: "UTC", why: "" },
    rows,
    bytes,
    outputs,
    times: { event: null, started: "2026-11-01T00:00:00Z", finished: "2026-11-01T00:00:01Z", durationMs: 1000 },
    requestId: "r",
  };
  putReceipt(s3, receipt);
  return receipt;
}

export const receiptKeyOf = (key: string): string => `receipts/curate/${key}.json`;

export function putReceipt(s3: FakeS3, receipt: Receipt): void {
  s3.put(BUCKETS.control, receiptKeyOf(receipt.source.key), `${JSON.stringify(receipt, null, 2)}\n`);
}

/** Does the same for the receipts of both stages of a lake with a contract, as far as they list what is there. */
export function settle(s3: FakeS3, key: string): void {
  for (const stage of ["validate", "curate"]) {
    const receiptKey = `receipts/${stage}/${key}.json`;
    if (!s3.bucket(BUCKETS.control).has(receiptKey)) continue;
    const receipt = JSON.parse(s3.text(BUCKETS.control, receiptKey)) as Receipt;
    const source = s3.bucket(receipt.source.bucket).get(key);
    if (source !== undefined) receipt.source = { ...receipt.source, etag: md5(source), size: source.length };
    receipt.outputs = receipt.outputs.flatMap((output) => {
      const bytes = s3.bucket(output.bucket).get(output.key);
      return bytes === undefined ? [] : [{ ...output, bytes: bytes.length, etag: md5(bytes) }];
    });
    s3.put(BUCKETS.control, receiptKey, JSON.stringify(receipt));
  }
}

/** Brings rows, bytes and ETags of a receipt's outputs in line with what is stored: a receipt that lies consistently. */
export function coverUp(s3: FakeS3, key: string): void {
  const receipt = JSON.parse(s3.text(BUCKETS.control, receiptKeyOf(key))) as Receipt;
  receipt.outputs = receipt.outputs.flatMap((output) => {
    const bytes = s3.bucket(output.bucket).get(output.key);
    return bytes === undefined ? [] : [{ ...output, bytes: bytes.length, etag: md5(bytes) }];
  });
  putReceipt(s3, receipt);
}
