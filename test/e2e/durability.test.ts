import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/packageRoot.ts";

const KILLS = Number(process.env.MINILAKE_KILLS ?? 8);
const WRITERS = 6;
const BUCKET = "durable";
const QUEUE = "events";

const dataDir = mkdtempSync(join(tmpdir(), "minilake-durability-"));
const credentials = { accessKeyId: "test", secretAccessKey: "test" };
let endpoint = "";
let port = 0;
let child: ChildProcess;
let s3: S3Client;
let sqs: SQSClient;

async function startEndpoint(): Promise<void> {
  const program = join(packageRoot(), "dist/bin/minilake.js");
  child = spawn(process.execPath, [program, "emulator", "--json", "--port", String(port), "--data-dir", dataDir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ready = await new Promise<{ endpoint: string }>((resolve, reject) => {
    let printed = "";
    child.stdout!.on("data", (chunk: Buffer) => {
      printed += chunk;
      if (printed.includes("\n")) resolve(JSON.parse(printed.slice(0, printed.indexOf("\n"))));
    });
    child.once("exit", (code) => reject(new Error(`the endpoint ended with code ${code} before it was ready`)));
  });
  endpoint = ready.endpoint;
  port = Number(new URL(endpoint).port);
  s3 = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials, maxAttempts: 1 });
  sqs = new SQSClient({ endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
}

async function killEndpoint(): Promise<void> {
  const gone = new Promise((done) => child.once("exit", done));
  child.kill("SIGKILL");
  await gone;
  s3.destroy();
  sqs.destroy();
}

const etagOf = (body: Buffer) => `"${createHash("md5").update(body).digest("hex")}"`;

/** What clients know: the answered state of a key, and the one request on it that was never answered. */
interface Known {
  acknowledged: string | null;
  pending?: string | null;
}

describe("kill -9 at random points", () => {
  const known = new Map<string, Known>();
  const announced = new Set<string>();

  beforeAll(async () => {
    await startEndpoint();
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    const queueArn = `arn:aws:sqs:us-east-1:000000000000:${QUEUE}`;
    await sqs.send(
      new CreateQueueCommand({
        QueueName: QUEUE,
        Attributes: {
          Policy: JSON.stringify({
            Version: "2012-10-17",
            Statement: [
              {
                Effect: "Allow",
                Principal: { Service: "s3.amazonaws.com" },
                Action: "sqs:SendMessage",
                Resource: queueArn,
              },
            ],
          }),
        },
      }),
    );
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: BUCKET,
        NotificationConfiguration: { QueueConfigurations: [{ QueueArn: queueArn, Events: ["s3:ObjectCreated:*"] }] },
      }),
    );
  });

  afterAll(async () => {
    if (child.exitCode === null && child.signalCode === null) await killEndpoint();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** One writer owns its keys, so that the order of its answers is the order of the changes. */
  async function write(writer: number, round: number, stopped: () => boolean): Promise<void> {
    for (let step = 0; !stopped(); step++) {
      const key = `w${writer}/k ${step % 7}+é.bin`;
      const state = known.get(key) ?? { acknowledged: null };
      known.set(key, state);
      const large = step % 5 === 4;
      const body = Buffer.alloc(large ? 300_000 + step : 700 + step, `${writer}-${round}-${step};`);
      const removes = step % 11 === 10;
      const multipart = !removes && step % 13 === 12;
      state.pending = removes ? null : multipart ? `${partsEtag(body)}` : etagOf(body);
      try {
        if (removes) await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
        else if (multipart) await putInParts(key, body);
        else await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }));
      } catch {
        return;
      }
      state.acknowledged = state.pending;
      delete state.pending;
      if (state.acknowledged !== null) announced.add(`${key} ${state.acknowledged}`);
    }
  }

  const partsEtag = (body: Buffer) =>
    `"${createHash("md5").update(createHash("md5").update(body).digest()).digest("hex")}-1"`;

  async function putInParts(key: string, body: Buffer): Promise<void> {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: key }));
    const { ETag } = await s3.send(
      new UploadPartCommand({ Bucket: BUCKET, Key: key, UploadId, PartNumber: 1, Body: body }),
    );
    await s3.send(
      new CompleteMultipartUploadCommand({
        Bucket: BUCKET,
        Key: key,
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
      }),
    );
  }

  it(`keeps every acknowledged object and event over ${KILLS} kills`, { timeout: 120_000 }, async () => {
    for (let round = 0; round < KILLS; round++) {
      let stopped = false;
      const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer, round, () => stopped));
      await new Promise((done) => setTimeout(done, 30 + ((round * 97) % 250)));
      await killEndpoint();
      stopped = true;
      await Promise.all(writers);
      await startEndpoint();
      await checkObjects();
    }
    await checkEvents();
  });

  async function checkObjects(): Promise<void> {
    const listed = new Map<string, string>();
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, ContinuationToken }));
      for (const { Key, ETag } of page.Contents ?? []) listed.set(Key!, ETag!);
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
    for (const [key, state] of known) {
      const etag = listed.get(key) ?? null;
      const possible = "pending" in state ? [state.acknowledged, state.pending] : [state.acknowledged];
      expect(possible, `${key} is in a state that nobody was told of`).toContain(etag);
      if (etag !== null) {
        const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
        const bytes = Buffer.from(await Body!.transformToByteArray());
        expect(ETag).toBe(etag);
        expect(etag.includes("-") ? partsEtag(bytes) : etagOf(bytes), `${key} has other bytes than its ETag says`).toBe(
          etag,
        );
      }
      state.acknowledged = etag;
      delete state.pending;
    }
    expect([...listed.keys()].filter((key) => !known.has(key))).toEqual([]);
  }

  async function checkEvents(): Promise<void> {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: QUEUE }));
    const missing = new Set(announced);
    const deadline = Date.now() + 60_000;
    while (missing.size > 0 && Date.now() < deadline) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      );
      for (const { Body } of Messages) {
        for (const { s3: entity } of JSON.parse(Body!).Records ?? []) {
          const key = decodeURIComponent(entity.object.key.replaceAll("+", " "));
          missing.delete(`${key} "${entity.object.eTag}"`);
        }
      }
      if (Messages.length > 0) {
        const Entries = Messages.map(({ MessageId, ReceiptHandle }) => ({
          Id: MessageId!,
          ReceiptHandle: ReceiptHandle!,
        }));
        await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
      }
    }
    expect([...missing], "objects that were acknowledged but never announced").toEqual([]);
  }

  it("leaves no bytes behind once everything is deleted", async () => {
    for (const key of known.keys()) await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    for (const { Key, UploadId } of Uploads) {
      await s3.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId }));
    }
    await killEndpoint();
    await startEndpoint();
    const files = readdirSync(join(dataDir, "blobs"), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(files.map((file) => file.name)).toEqual([]);
  });
});
