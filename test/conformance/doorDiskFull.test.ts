import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, expect, test } from "vitest";
import { startEmulator } from "../../src/emulator/server.ts";

const folder = mkdtempSync(join(tmpdir(), "minilake-full-"));
const mounted =
  process.platform === "linux" &&
  (process.env.MINILAKE_TARGET ?? "embedded") === "embedded" &&
  spawnSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], { stdio: "ignore" }).status === 0;

afterAll(() => {
  if (mounted) spawnSync("umount", ["-l", folder]);
  rmSync(folder, { recursive: true, force: true });
});

const client = (endpoint: string) =>
  new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });

test.skipIf(!mounted)(
  `a full disk refuses writes, keeps what was acknowledged, starts again and lets space be freed${mounted ? "" : " (not run: a small tmpfs could not be mounted)"}`,
  async () => {
    const reports: string[] = [];
    const options = { dataDir: join(folder, "data"), port: 0, report: (message: string) => reports.push(message) };
    let emulator = await startEmulator(options);
    let s3 = client(emulator.endpoint);
    await s3.send(new CreateBucketCommand({ Bucket: "full" }));
    const acknowledged: string[] = [];
    const refusals: unknown[] = [];
    for (let index = 0; refusals.length < 100 && index < 2000; index++) {
      const Key = `k${index}`;
      try {
        await s3.send(new PutObjectCommand({ Bucket: "full", Key, Body: Buffer.alloc(30_000, Key) }));
        acknowledged.push(Key);
      } catch (error) {
        refusals.push(error);
      }
    }
    expect(refusals).toHaveLength(100);
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ name: "InternalError", $metadata: { httpStatusCode: 500 } });
      expect(String(refusal)).toContain("No space left on the disk");
    }
    expect(reports.join()).not.toContain("bug");

    s3.destroy();
    await emulator.close();
    emulator = await startEmulator(options);
    s3 = client(emulator.endpoint);
    const listed: string[] = [];
    for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: "full" })) {
      listed.push(...(page.Contents ?? []).map(({ Key }) => Key!));
    }
    expect(listed.sort()).toEqual([...acknowledged].sort());
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: "full", Key: acknowledged.at(-1)! }));
    expect(Buffer.from(await Body!.transformToByteArray())).toEqual(Buffer.alloc(30_000, acknowledged.at(-1)!));

    for (const Key of acknowledged.slice(0, 200)) await s3.send(new DeleteObjectCommand({ Bucket: "full", Key }));
    await s3.send(new PutObjectCommand({ Bucket: "full", Key: "again", Body: Buffer.alloc(30_000, "again") }));
    s3.destroy();
    await emulator.close();
  },
);
