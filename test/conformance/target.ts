import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { IAMClient } from "@aws-sdk/client-iam";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { STSClient } from "@aws-sdk/client-sts";
import { type EmulatorOptions, startEmulator } from "../../src/emulator/server.ts";

/**
 * The endpoint under test, chosen by MINILAKE_TARGET:
 * embedded (default)   our own, started in this process on a free port with a data folder of its own
 * ministack, moto, …   any other name: the endpoint at MINILAKE_TARGET_ENDPOINT, called with test/test
 */
export interface Target {
  name: string;
  endpoint: string;
  region: string;
  accountId: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  s3: S3Client;
  iam: IAMClient;
  sts: STSClient;
  lambda: LambdaClient;
  sqs: SQSClient;
  logs: CloudWatchLogsClient;
  cloudwatch: CloudWatchClient;
  /** A name nobody else in this run uses: lower case, digits and hyphens, fit for buckets, roles, functions and queues. */
  uniqueName(what: string): string;
  /** Only embedded: stops the endpoint and starts it again on the same folder; the clients keep working. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** `options` reach the embedded endpoint only. */
export async function target(options: Partial<EmulatorOptions> = {}): Promise<Target> {
  const name = process.env.MINILAKE_TARGET ?? "embedded";
  const region = options.region ?? "us-east-1";
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  let endpoint = process.env.MINILAKE_TARGET_ENDPOINT ?? "";
  let stop = async () => {};
  let restart: () => Promise<void> = async () => {
    throw new Error(`${name} cannot be restarted from a test`);
  };
  if (name === "embedded") {
    const dataDir = mkdtempSync(join(tmpdir(), "minilake-conformance-"));
    let emulator = await startEmulator({ dataDir, port: 0, ...options });
    endpoint = emulator.endpoint;
    const { port } = emulator;
    restart = async () => {
      await emulator.close();
      // Their kept sockets lead to the endpoint that was: the next call would end in "socket hang up".
      for (const each of Object.values(clients)) each.config.requestHandler.destroy?.();
      emulator = await startEmulator({ dataDir, ...options, port });
    };
    stop = async () => {
      await emulator.close();
      rmSync(dataDir, { recursive: true, force: true });
    };
  }
  const client = { endpoint, region, credentials, maxAttempts: 1 };
  const clients = {
    s3: new S3Client({ ...client, forcePathStyle: true }),
    iam: new IAMClient(client),
    sts: new STSClient(client),
    lambda: new LambdaClient(client),
    sqs: new SQSClient(client),
    logs: new CloudWatchLogsClient(client),
    cloudwatch: new CloudWatchClient(client),
  };
  const run = randomBytes(4).toString("hex");
  let names = 0;
  return {
    name,
    endpoint,
    region,
    accountId: options.accountId ?? (name === "moto" ? "123456789012" : "000000000000"),
    credentials,
    ...clients,
    uniqueName: (what) => `${what}-${run}-${++names}`,
    restart: () => restart(),
    close: async () => {
      for (const each of Object.values(clients)) each.destroy();
      await stop();
    },
  };
}

/** Polls until `check` returns something truthy; on timeout throws with what it last saw. */
export async function waitFor<T>(
  check: () => Promise<T> | T,
  options: { timeoutMs?: number; what?: string } = {},
): Promise<NonNullable<T>> {
  const { timeoutMs = 15_000, what = "the expected state" } = options;
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  let waitMs = 5;
  for (;;) {
    try {
      const seen = await check();
      if (seen) return seen as NonNullable<T>;
      last = seen;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}; last seen: ${String(last)}`);
    await new Promise((done) => setTimeout(done, waitMs));
    waitMs = Math.min(waitMs * 1.5, 200);
  }
}
