import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { AddPermissionCommand, CreateFunctionCommand, InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeletePublicAccessBlockCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketNotificationConfigurationCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/packageRoot.ts";
import { zipOf } from "../conformance/lambdaPackages.ts";

const KILLS = Number(process.env.MINILAKE_KILLS ?? 6);
/** Writers of objects: the first half into a bucket whose events go to a queue, the others into one whose events run a function. */
const WRITERS = 6;
const WATCHED_BY_QUEUE = "durable";
const WATCHED_BY_FUNCTION = "computed";
/** What the function writes: one object for each time that it ran, below what it ran for. */
const OUTPUTS = "outputs";
const QUEUE = "events";
const FUNCTION = "copier";
const ACCOUNT = "000000000000";

/**
 * Writes what it was called with, the large ones as files of their own, and takes its time before and after, so that a kill meets it
 * at any point. Its outputs need no signature, so it needs no SDK.
 */
const CODE = `export const handler = async (event) => {
  const done = event.Records
    ? event.Records.map(({ s3 }) => "events/" + s3.object.key + "/" + s3.object.eTag)
    : ["calls/" + event.call];
  for (const name of done) {
    const url = process.env.AWS_ENDPOINT_URL + "/${OUTPUTS}/" + name + "/" + crypto.randomUUID();
    const body = name.repeat(1 + (name.length % 3) * 2000);
    await new Promise((done) => setTimeout(done, 15));
    const reply = await fetch(url, { method: "PUT", body });
    if (reply.status !== 200) throw new Error("the output was answered with " + reply.status);
    await new Promise((done) => setTimeout(done, 15));
  }
};`;

const dataDir = mkdtempSync(join(tmpdir(), "minilake-durability-"));
const credentials = { accessKeyId: "test", secretAccessKey: "test" };
let endpoint = "";
let port = 0;
let child: ChildProcess;
let s3: S3Client;
let sqs: SQSClient;
let lambda: LambdaClient;
let iam: IAMClient;

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
  const config = { endpoint, region: "us-east-1", credentials, maxAttempts: 1 };
  sqs = new SQSClient(config);
  lambda = new LambdaClient(config);
  iam = new IAMClient(config);
}

async function killEndpoint(): Promise<void> {
  const gone = new Promise((done) => child.once("exit", done));
  child.kill("SIGKILL");
  await gone;
  for (const client of [s3, sqs, lambda, iam]) client.destroy();
}

const etagOf = (body: Buffer) => `"${createHash("md5").update(body).digest("hex")}"`;

/** What clients know: the answered state of a key, and the one request on it that was never answered. */
interface Known {
  acknowledged: string | null;
  pending?: string | null;
}

describe("kill -9 at random points", () => {
  /** By "bucket/key". */
  const known = new Map<string, Known>();
  /** "key etag" of what was acknowledged, by who has to hear of it. */
  const announced = { queue: new Set<string>(), function: new Set<string>() };
  const messages = new Set<string>();
  const calls = new Set<string>();

  beforeAll(async () => {
    await startEndpoint();
    for (const Bucket of [WATCHED_BY_QUEUE, WATCHED_BY_FUNCTION, OUTPUTS]) {
      await s3.send(new CreateBucketCommand({ Bucket }));
    }
    await watchByQueue();
    await watchByFunction();
  });

  const allow = (service: string, Action: string, Resource?: string) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: service === "*" ? "*" : { Service: service }, Action, Resource }],
    });

  async function watchByQueue(): Promise<void> {
    const QueueArn = `arn:aws:sqs:us-east-1:${ACCOUNT}:${QUEUE}`;
    const Policy = allow("s3.amazonaws.com", "sqs:SendMessage", QueueArn);
    await sqs.send(new CreateQueueCommand({ QueueName: QUEUE, Attributes: { Policy } }));
    const QueueConfigurations = [{ QueueArn, Events: ["s3:ObjectCreated:*" as const] }];
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: WATCHED_BY_QUEUE,
        NotificationConfiguration: { QueueConfigurations },
      }),
    );
  }

  async function watchByFunction(): Promise<void> {
    await s3.send(new DeletePublicAccessBlockCommand({ Bucket: OUTPUTS }));
    const Policy = allow("*", "s3:PutObject", `arn:aws:s3:::${OUTPUTS}/*`);
    await s3.send(new PutBucketPolicyCommand({ Bucket: OUTPUTS, Policy }));
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName: FUNCTION,
        AssumeRolePolicyDocument: allow("lambda.amazonaws.com", "sts:AssumeRole"),
      }),
    );
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: FUNCTION,
        Role: Role!.Arn,
        Runtime: "nodejs22.x",
        Handler: "index.handler",
        Code: { ZipFile: await zipOf({ "index.mjs": CODE }) },
      }),
    );
    await lambda.send(
      new AddPermissionCommand({
        FunctionName: FUNCTION,
        StatementId: "s3",
        Action: "lambda:InvokeFunction",
        Principal: "s3.amazonaws.com",
        SourceArn: `arn:aws:s3:::${WATCHED_BY_FUNCTION}`,
      }),
    );
    const LambdaFunctionArn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${FUNCTION}`;
    const LambdaFunctionConfigurations = [{ LambdaFunctionArn, Events: ["s3:ObjectCreated:*" as const] }];
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: WATCHED_BY_FUNCTION,
        NotificationConfiguration: { LambdaFunctionConfigurations },
      }),
    );
  }

  afterAll(async () => {
    if (child.exitCode === null && child.signalCode === null) await killEndpoint();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** One writer owns its keys, so that the order of its answers is the order of the changes. */
  async function write(writer: number, round: number, stopped: () => boolean): Promise<void> {
    const byQueue = writer < WRITERS / 2;
    const Bucket = byQueue ? WATCHED_BY_QUEUE : WATCHED_BY_FUNCTION;
    for (let step = 0; !stopped(); step++) {
      const Key = `w${writer}/k ${step % 7}+é.bin`;
      const state = known.get(`${Bucket}/${Key}`) ?? { acknowledged: null };
      known.set(`${Bucket}/${Key}`, state);
      const large = step % 5 === 4;
      const body = Buffer.alloc(large ? 300_000 + step : 700 + step, `${writer}-${round}-${step};`);
      const removes = step % 11 === 10;
      const multipart = !removes && step % 13 === 12;
      state.pending = removes ? null : multipart ? `${partsEtag(body)}` : etagOf(body);
      try {
        if (removes) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
        else if (multipart) await putInParts(Bucket, Key, body);
        else await s3.send(new PutObjectCommand({ Bucket, Key, Body: body }));
      } catch {
        return;
      }
      state.acknowledged = state.pending;
      delete state.pending;
      if (state.acknowledged !== null) announced[byQueue ? "queue" : "function"].add(`${Key} ${state.acknowledged}`);
    }
  }

  /** Messages and asynchronous calls, each remembered once it was accepted. */
  async function send(round: number, stopped: () => boolean): Promise<void> {
    const QueueUrl = `${endpoint}/${ACCOUNT}/${QUEUE}`;
    for (let step = 0; !stopped(); step++) {
      const name = `${round}-${step}`;
      try {
        await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify({ message: name }) }));
        messages.add(name);
        const Payload = JSON.stringify({ call: name });
        await lambda.send(new InvokeCommand({ FunctionName: FUNCTION, InvocationType: "Event", Payload }));
        calls.add(name);
      } catch {
        return;
      }
    }
  }

  const partsEtag = (body: Buffer) =>
    `"${createHash("md5").update(createHash("md5").update(body).digest()).digest("hex")}-1"`;

  async function putInParts(Bucket: string, Key: string, Body: Buffer): Promise<void> {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
  }

  it(`keeps all that was acknowledged over ${KILLS} kills, while a function runs`, {
    timeout: KILLS * 15_000,
  }, async () => {
    for (let round = 0; round < KILLS; round++) {
      let isStopped = false;
      const stopped = () => isStopped;
      const clients = Array.from({ length: WRITERS }, (_, writer) => write(writer, round, stopped));
      clients.push(send(round, stopped));
      // From before the function's first environment is there until it has been running for a while.
      await new Promise((done) => setTimeout(done, 100 + ((round * 397) % 1100)));
      await killEndpoint();
      isStopped = true;
      await Promise.all(clients);
      await startEndpoint();
      await checkObjects();
    }
    await checkQueue();
    await checkOutputs();
  });

  async function listed(Bucket: string): Promise<Map<string, string>> {
    const etags = new Map<string, string>();
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(new ListObjectsV2Command({ Bucket, ContinuationToken }));
      for (const { Key, ETag } of page.Contents ?? []) etags.set(Key!, ETag!);
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
    return etags;
  }

  async function checkObjects(): Promise<void> {
    const found = new Map<string, string>();
    for (const Bucket of [WATCHED_BY_QUEUE, WATCHED_BY_FUNCTION]) {
      for (const [key, etag] of await listed(Bucket)) found.set(`${Bucket}/${key}`, etag);
    }
    for (const [name, state] of known) {
      const etag = found.get(name) ?? null;
      const possible = "pending" in state ? [state.acknowledged, state.pending] : [state.acknowledged];
      expect(possible, `${name} is in a state that nobody was told of`).toContain(etag);
      if (etag !== null) await checkBytes(name, etag);
      state.acknowledged = etag;
      delete state.pending;
    }
    expect([...found.keys()].filter((name) => !known.has(name))).toEqual([]);
  }

  async function checkBytes(name: string, etag: string): Promise<void> {
    const [Bucket, Key] = [name.slice(0, name.indexOf("/")), name.slice(name.indexOf("/") + 1)];
    const { Body, ETag } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    const bytes = Buffer.from(await Body!.transformToByteArray());
    expect(ETag).toBe(etag);
    const computed = etag.includes("-") ? partsEtag(bytes) : etagOf(bytes);
    expect(computed, `${name} has other bytes than its ETag says`).toBe(etag);
  }

  async function checkQueue(): Promise<void> {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: QUEUE }));
    const missing = new Set([...announced.queue, ...messages]);
    const deadline = Date.now() + 60_000;
    while (missing.size > 0 && Date.now() < deadline) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
      );
      for (const { Body } of Messages) {
        const { Records = [], message } = JSON.parse(Body!);
        missing.delete(message);
        for (const { s3: entity } of Records) {
          missing.delete(`${decodeURIComponent(entity.object.key.replaceAll("+", " "))} "${entity.object.eTag}"`);
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
    expect([...missing], "what was accepted but never came out of the queue").toEqual([]);
  }

  async function checkOutputs(): Promise<void> {
    const expected = new Set([...calls].map((name) => `calls/${name}`));
    for (const entry of announced.function) {
      const [, key, etag] = /^(.*) "(.*)"$/.exec(entry)!;
      expected.add(`events/${key}/${etag}`);
    }
    let missing: string[] = [];
    let runs = 0;
    const deadline = Date.now() + 60_000;
    do {
      const outputs = [...(await listed(OUTPUTS)).keys()];
      runs = outputs.length;
      const done = new Set(outputs.map((output) => output.slice(0, output.lastIndexOf("/")).replaceAll("+", " ")));
      missing = [...expected].filter((name) => !done.has(name.replaceAll("+", " ")));
    } while (missing.length > 0 && Date.now() < deadline);
    expect(missing, "what was accepted but never ran the function").toEqual([]);
    for (const [key, etag] of await listed(OUTPUTS)) await checkBytes(`${OUTPUTS}/${key}`, etag);
    if (process.env.MINILAKE_KILLS) {
      const counts = {
        objects: known.size,
        queued: announced.queue.size + messages.size,
        expected: expected.size,
        runs,
      };
      process.stderr.write(`${JSON.stringify({ kills: KILLS, ...counts })}\n`);
    }
  }

  it("leaves no bytes behind once everything is deleted", async () => {
    for (const Bucket of [WATCHED_BY_QUEUE, WATCHED_BY_FUNCTION, OUTPUTS]) {
      for (const Key of (await listed(Bucket)).keys()) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
      const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
      for (const { Key, UploadId } of Uploads) {
        await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
      }
    }
    await killEndpoint();
    await startEndpoint();
    const files = readdirSync(join(dataDir, "blobs"), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(files.map((file) => file.name)).toEqual([]);
  });
});
