import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { CreateQueueCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { afterEach, describe, expect, test } from "vitest";
import { type EmulatorOptions, startEmulator } from "../../src/emulator/server.ts";
import { usedBytes } from "../../src/emulator/store/findDamage.ts";
import { sign, signedRequest } from "./s3SignedRequest.ts";
import { type Target, target, waitFor } from "./target.ts";

/** What only our own endpoint can be asked: what lies on its disk, and what is there after a restart. */
const isEmbedded = (process.env.MINILAKE_TARGET ?? "embedded") === "embedded";

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const credentials = { accessKeyId: "test", secretAccessKey: "test" };

async function endpoint(dataDir: string, options: Partial<EmulatorOptions> = {}) {
  const emulator = await startEmulator({ dataDir, port: 0, ...options });
  const s3 = new S3Client({
    endpoint: emulator.endpoint,
    region: "us-east-1",
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
  });
  let isOpen = true;
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    s3.destroy();
    await emulator.close();
  };
  cleanups.push(close);
  return { s3, endpoint: emulator.endpoint, close };
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "minilake-s3-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const files = (folder: string) =>
  readdirSync(join(folder, "blobs"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;

const big = Buffer.alloc(300_000, "big body ");
const Bucket = "durable";

describe.runIf(isEmbedded)("files of bodies", () => {
  test("go when their object is overwritten or deleted, and stay while a copy or version needs them", async () => {
    const folder = newFolder();
    const { s3 } = await endpoint(folder);
    await s3.send(new CreateBucketCommand({ Bucket }));
    const left = (count: number) => waitFor(() => files(folder) === count, { what: `${count} files` });
    await s3.send(new PutObjectCommand({ Bucket, Key: "a", Body: big }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "a", Body: big }));
    await left(1);
    await s3.send(new CopyObjectCommand({ Bucket, Key: "b", CopySource: `${Bucket}/a` }));
    await left(1);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "a" }));
    await left(1);
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: "b", Body: big }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "b" }));
    await left(2);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "b", VersionId }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "b", VersionId: "null" }));
    await left(0);
  });

  test("are not left by uploads that are refused or break off", async () => {
    const folder = newFolder();
    const here = await endpoint(folder);
    await here.s3.send(new CreateBucketCommand({ Bucket }));
    const t = { endpoint: here.endpoint, region: "us-east-1", credentials } as Target;
    const reply = await signedRequest(t, {
      method: "PUT",
      path: `/${Bucket}/refused`,
      headers: { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==" },
      body: Buffer.alloc(3_000_000, "x"),
    });
    expect(reply.code).toBe("BadDigest");
    const raw = { method: "PUT", path: `/${Bucket}/broken`, payloadHash: "UNSIGNED-PAYLOAD" };
    const { headers } = sign(t, raw);
    for (const announced of [200_000, 50_000_000]) {
      const { hostname, port } = new URL(here.endpoint);
      const all = { ...headers, "content-length": announced };
      const outgoing = request({ hostname, port, method: "PUT", path: raw.path, headers: all, agent: false });
      outgoing.on("error", () => undefined);
      outgoing.write(Buffer.alloc(150_000, "x"));
      await waitFor(() => files(folder) === 1, { what: "the file of the upload" });
      outgoing.destroy();
      await waitFor(() => files(folder) === 0, { what: "no file" });
    }
    const list = await here.s3.send(new ListObjectsV2Command({ Bucket }));
    expect(list.KeyCount).toBe(0);
  });

  test("that nothing refers to are removed at start, all others stay", async () => {
    const folder = newFolder();
    const before = await endpoint(folder);
    await before.s3.send(new CreateBucketCommand({ Bucket }));
    await before.s3.send(new PutObjectCommand({ Bucket, Key: "large", Body: big }));
    await before.s3.send(new PutObjectCommand({ Bucket, Key: "small", Body: "small" }));
    const { UploadId } = await before.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "parts" }));
    await before.s3.send(new UploadPartCommand({ Bucket, Key: "parts", UploadId, PartNumber: 1, Body: big }));
    await before.close();
    mkdirSync(join(folder, "blobs", "ab"), { recursive: true });
    writeFileSync(join(folder, "blobs", "ab", `ab${"0".repeat(30)}`), "left by a crash");
    for (const shared of ["", "blobs", "lambda"]) writeFileSync(join(folder, shared, ".DS_Store"), "left by a desktop");
    expect(files(folder)).toBe(4);
    const after = await endpoint(folder);
    expect(files(folder)).toBe(3);
    const large = await after.s3.send(new GetObjectCommand({ Bucket, Key: "large" }));
    expect(Buffer.from(await large.Body!.transformToByteArray()).equals(big)).toBe(true);
    const small = await after.s3.send(new GetObjectCommand({ Bucket, Key: "small" }));
    expect(await small.Body!.transformToString()).toBe("small");
  });

  test("are read to the end by those who began, after a delete", async () => {
    const folder = newFolder();
    const { s3 } = await endpoint(folder);
    await s3.send(new CreateBucketCommand({ Bucket }));
    const huge = Buffer.alloc(20_000_000, "huge body ");
    await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: huge }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(huge)).toBe(true);
    await waitFor(() => files(folder) === 0, { what: "no file" });
  });
});

describe.runIf(isEmbedded)("a body whose file", () => {
  /** An object of one file, one of two parts, and one of a copied part, each damaged by `damage`. */
  async function damaged(damage: (file: string) => void) {
    const folder = newFolder();
    const reports: string[] = [];
    const { s3 } = await endpoint(folder, { report: (message) => reports.push(message) });
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "one file", Body: big }));
    const at = { Bucket, Key: "parts" };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at));
    const Parts = [];
    for (const [index, Body] of [Buffer.alloc(5 * 1024 * 1024, "p"), big].entries()) {
      const PartNumber = index + 1;
      const { ETag } = await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body }));
      Parts.push({ PartNumber, ETag });
    }
    await s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }));
    for (const entry of readdirSync(join(folder, "blobs"), { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name);
      if (entry.isFile() && statSync(file).size === big.length) damage(file);
    }
    return { s3, reports, folder };
  }

  test.each([
    ["is missing", "is missing", (file: string) => rmSync(file)],
    ["was cut off", "has 100 bytes where at least 300000 were written", (file: string) => truncateSync(file, 100)],
  ])("%s: an error that names the object, before any byte", async (_what, words, damage) => {
    const { s3, reports } = await damaged(damage);
    const upload = { Bucket, Key: "target" };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(upload));
    for (const Key of ["one file", "parts"]) {
      const CopySource = `${Bucket}/${encodeURIComponent(Key)}`;
      const calls = [
        () => s3.send(new GetObjectCommand({ Bucket, Key })),
        () => s3.send(new CopyObjectCommand({ ...upload, CopySource })),
        () => s3.send(new UploadPartCopyCommand({ ...upload, UploadId, PartNumber: 1, CopySource })),
      ];
      for (const call of calls) {
        reports.length = 0;
        await expect(call()).rejects.toMatchObject({
          name: "InternalError",
          message: expect.stringMatching(`The object s3://${Bucket}/${Key} cannot be read: its file .* ${words}`),
          $metadata: { httpStatusCode: 500 },
        });
        expect(reports).toEqual([expect.stringContaining(`s3://${Bucket}/${Key} cannot be read`)]);
      }
      await expect(s3.send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({
        $metadata: { httpStatusCode: 500 },
      });
    }
    await expect(s3.send(new HeadObjectCommand(upload))).rejects.toMatchObject({ name: "NotFound" });
    const whole = await s3.send(new GetObjectCommand({ Bucket, Key: "parts", PartNumber: 1 }));
    expect((await whole.Body!.transformToByteArray()).length).toBe(5 * 1024 * 1024);
    await s3.send(new PutObjectCommand({ Bucket, Key: "one file", Body: big }));
    await s3.send(new HeadObjectCommand({ Bucket, Key: "one file" }));
  });
});

describe.runIf(isEmbedded)("a body of which one bit is another one", () => {
  test("is not given out as if it were whole, nor copied under a new checksum", async () => {
    const folder = newFolder();
    const reports: string[] = [];
    const report = (message: string, error?: unknown) => reports.push(`${message} ${error}`);
    const here = await endpoint(folder, { report });
    const { s3 } = here;
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: big }));
    const [entry] = readdirSync(join(folder, "blobs"), { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    );
    const file = join(entry!.parentPath, entry!.name);
    const bytes = readFileSync(file);
    bytes[100_000]! ^= 1;
    writeFileSync(file, bytes);
    // A client of the SDK compares the checksum itself; one that does not is cut off before the end.
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: "k" }));
    await expect(got.Body!.transformToByteArray()).rejects.toThrow(/checksum/i);
    const t = { endpoint: here.endpoint, region: "us-east-1", credentials } as Target;
    await expect(signedRequest(t, { method: "GET", path: `/${Bucket}/k` })).rejects.toThrow("socket hang up");
    expect(reports.join()).toContain("The object is not as it was written: its bytes have another CRC32");
    const copy = { Bucket, Key: "copy", CopySource: `${Bucket}/k`, ChecksumAlgorithm: "SHA256" as const };
    await expect(s3.send(new CopyObjectCommand(copy))).rejects.toMatchObject({
      name: "InternalError",
      message: expect.stringContaining(entry!.name),
    });
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: "copy" }))).rejects.toMatchObject({ name: "NotFound" });
  });
});

describe.runIf(isEmbedded)("a data folder that goes away under the endpoint", () => {
  test.each([
    ["is removed", (folder: string) => rmSync(folder, { recursive: true })],
    ["is moved", (folder: string) => renameSync(folder, `${folder}-moved`)],
    [
      "is replaced by another one",
      (folder: string) => {
        renameSync(folder, `${folder}-moved`);
        cpSync(`${folder}-moved`, folder, { recursive: true });
      },
    ],
  ])("and %s: nothing more is acknowledged, and what is there can be read", async (_what, change) => {
    const folder = join(newFolder(), "data");
    const reports: string[] = [];
    const { s3 } = await endpoint(folder, { report: (message) => reports.push(message) });
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "before", Body: "before" }));
    change(folder);
    const lost = {
      name: "InternalError",
      message: expect.stringContaining(`The data folder ${folder} was removed, moved or replaced`),
      $metadata: { httpStatusCode: 500 },
    };
    for (const Body of ["small", big]) {
      await expect(s3.send(new PutObjectCommand({ Bucket, Key: "after", Body }))).rejects.toMatchObject(lost);
    }
    expect(reports.join("\n")).toContain("stop the endpoint and start it again");
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "before" }));
    expect(await Body!.transformToString()).toBe("before");
  });
});

describe.runIf(isEmbedded)("a store that was overwritten in its middle while the endpoint was stopped", () => {
  test("is refused in plain words, or answers all of it or with an error, never with less", {
    timeout: 60_000,
  }, async () => {
    const folder = newFolder();
    const file = join(folder, "store", "data.mdb");
    const bodies = new Map<string, Buffer>();
    const before = await endpoint(folder);
    await before.s3.send(new CreateBucketCommand({ Bucket }));
    for (let index = 0; index < 120; index++) {
      const Key = `key ${index}`;
      const Body = Buffer.alloc(index % 4 === 0 ? 20_000 + index : 1000 + index, `${index} `);
      bodies.set(Key, Body);
      await before.s3.send(new PutObjectCommand({ Bucket, Key, Body }));
    }
    await before.close();
    const sound = readFileSync(file);
    const descriptor = openSync(file, "r");
    const pages = usedBytes(descriptor).end / 4096;
    closeSync(descriptor);
    const outcomes = { refused: 0, error: 0, whole: 0 };
    for (let seed = 0; seed < 16; seed++) {
      // Two pages next to each other, at another place for each seed.
      const damaged = Buffer.from(sound);
      const first = 2 + Math.floor(((seed * 0.618034) % 1) * (pages - 3));
      for (let at = first * 4096; at < (first + 2) * 4096; at += 4) {
        damaged.writeUInt32LE((Math.imul(at + seed, 2_654_435_761) | 1) >>> 0, at);
      }
      writeFileSync(file, damaged);
      const reports: string[] = [];
      const started = await endpoint(folder, { report: (message) => reports.push(message) }).catch(
        (error: Error) => error,
      );
      if (started instanceof Error) {
        expect(started.message).toContain(`The data folder ${folder} is damaged: page`);
        outcomes.refused++;
        continue;
      }
      const { Contents = [] } = await started.s3.send(new ListObjectsV2Command({ Bucket }));
      expect(Contents.map(({ Key }) => Key)).toEqual([...bodies.keys()].sort());
      let errors = 0;
      for (const [Key, body] of bodies) {
        const got = await started.s3.send(new GetObjectCommand({ Bucket, Key })).catch((error: Error) => error);
        if (got instanceof Error) {
          expect(got).toMatchObject({ name: "InternalError", message: expect.stringContaining("is damaged") });
          errors++;
        } else expect(Buffer.from(await got.Body!.transformToByteArray()).equals(body), Key).toBe(true);
      }
      expect(reports.length > 0).toBe(errors > 0);
      outcomes[errors > 0 ? "error" : "whole"]++;
      await started.close();
    }
    expect(outcomes.refused).toBeGreaterThan(0);
    expect(outcomes.error).toBeGreaterThan(0);
  });
});

describe.runIf(isEmbedded)("after a restart", () => {
  test("events that were held back are delivered, and sequencers go on growing", async () => {
    const t = await target({ faults: "delay=300..300ms" });
    cleanups.push(() => t.close());
    const bucket = t.uniqueName("bucket");
    await t.s3.send(new CreateBucketCommand({ Bucket: bucket }));
    const QueueName = t.uniqueName("queue");
    const QueueArn = `arn:aws:sqs:${t.region}:${t.accountId}:${QueueName}`;
    const Policy = JSON.stringify({
      Statement: [
        { Effect: "Allow", Principal: { Service: "s3.amazonaws.com" }, Action: "sqs:SendMessage", Resource: QueueArn },
      ],
    });
    const { QueueUrl } = await t.sqs.send(new CreateQueueCommand({ QueueName, Attributes: { Policy } }));
    await t.s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: bucket,
        NotificationConfiguration: { QueueConfigurations: [{ QueueArn, Events: ["s3:ObjectCreated:*"] }] },
      }),
    );
    await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body: "1" }));
    await t.restart();
    await t.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body: "2" }));
    const seen: { eTag: string; sequencer: string }[] = [];
    await waitFor(async () => {
      const { Messages = [] } = await t.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      for (const { Body } of Messages)
        seen.push(...(JSON.parse(Body!).Records ?? []).map((one: { s3: { object: never } }) => one.s3.object));
      return seen.length === 2;
    });
    seen.sort((a, b) => (a.sequencer < b.sequencer ? -1 : 1));
    expect(seen.map(({ eTag }) => eTag)).toEqual([
      "c4ca4238a0b923820dcc509a6f75849b",
      "c81e728d9d4c2f636f067f89cc14862c",
    ]);
  });

  test("a completion whose answer got lost can be repeated", async () => {
    const t = await target();
    cleanups.push(() => t.close());
    const bucket = t.uniqueName("bucket");
    await t.s3.send(new CreateBucketCommand({ Bucket: bucket }));
    const at = { Bucket: bucket, Key: "k" };
    const { UploadId } = await t.s3.send(new CreateMultipartUploadCommand(at));
    const { ETag } = await t.s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: "part" }));
    const complete = (Parts: { PartNumber: number; ETag?: string }[]) =>
      t.s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }));
    const before = await complete([{ PartNumber: 1, ETag }]);
    await t.restart();
    const again = await complete([{ PartNumber: 1, ETag }]);
    // S3 does not repeat the checksums.
    const { $metadata: _, ChecksumCRC64NVME: _value, ChecksumType: _type, ...answered } = before;
    expect({ ...again, $metadata: undefined }).toEqual({ ...answered, $metadata: undefined });
    await expect(complete([{ PartNumber: 2, ETag }])).rejects.toMatchObject({ name: "NoSuchUpload" });
  });
});
