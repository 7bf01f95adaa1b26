import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
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
import { zipOf } from "./lambdaPackages.ts";

/** A folder on a disk of its own that is soon full; undefined when none can be mounted. */
function smallDisk(): string | undefined {
  const isAsked = process.platform === "linux" && (process.env.MINILAKE_TARGET ?? "embedded") === "embedded";
  const folder = mkdtempSync(join(tmpdir(), "minilake-full-"));
  const options = ["-t", "tmpfs", "-o", "size=24m", "tmpfs", folder];
  const isMounted = isAsked && spawnSync("mount", options, { stdio: "ignore" }).status === 0;
  afterAll(() => {
    if (isMounted) spawnSync("umount", ["-l", folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return isMounted ? folder : undefined;
}

const disks = [smallDisk(), smallDisk()];
const mounted = disks[0] !== undefined;

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
    const options = { dataDir: join(disks[0]!, "data"), port: 0, report: (message: string) => reports.push(message) };
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

test.skipIf(!mounted)("a full disk refuses a function's code, and what was written of it is gone", async () => {
  const dataDir = join(disks[1]!, "data");
  const emulator = await startEmulator({ dataDir, port: 0, report: () => undefined });
  const options = {
    endpoint: emulator.endpoint,
    region: "us-east-1",
    maxAttempts: 1,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  };
  const iam = new IAMClient(options);
  const lambda = new LambdaClient(options);
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
  });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: "role", AssumeRolePolicyDocument }));
  // Beside the 8 MiB of the store it fits once, unpacked, and not a second time, as a zip.
  const ZipFile = await zipOf({
    "index.mjs": "export const handler = async () => 1;",
    "data.bin": randomBytes(9 << 20),
  });
  const create = new CreateFunctionCommand({
    FunctionName: "function",
    Role: Role!.Arn,
    Runtime: "nodejs22.x",
    Handler: "index.handler",
    Code: { ZipFile },
  });
  await expect(lambda.send(create)).rejects.toThrow("No space left on the disk");
  expect(readdirSync(join(dataDir, "lambda", "code"))).toEqual([]);
  for (const each of [iam, lambda]) each.destroy();
  await emulator.close();
});
