import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { onTestFinished } from "vitest";
import type { Caller } from "../../../../src/emulator/access.ts";
import { AwsError } from "../../../../src/emulator/awsError.ts";
import { NO_FAULTS } from "../../../../src/emulator/faults.ts";
import { createLambda, type LambdaDependencies, type LambdaService } from "../../../../src/emulator/lambda/index.ts";
import type { EmulatorSettings } from "../../../../src/emulator/settings.ts";
import { Store } from "../../../../src/emulator/store/store.ts";

export const ROLE = "arn:aws:iam::000000000000:role/function-role";
const ROOT: Caller = { kind: "root", accountId: "000000000000", arn: "arn:aws:iam::000000000000:root", userId: "0" };

export interface SentMessage {
  queueArn: string;
  body: string;
  attributes: Record<string, { DataType: string; StringValue?: string }>;
}

/** Lambda alone behind a port, with everything that it asks of other services written down. */
export interface LambdaEndpoint {
  lambda: LambdaClient;
  service: LambdaService;
  store: Store;
  folder: string;
  logs: { group: string; stream: string; message: string }[];
  metrics: { name: string; dimensions: Record<string, string>; value: number }[];
  messages: SentMessage[];
  objects: { bucket: string; key: string; body: Buffer }[];
  reports: string[];
  /** Stops the service, or with `abruptly` only forgets it, and starts another one on the same data. */
  restart(abruptly?: boolean): Promise<void>;
}

export interface LambdaEndpointOptions extends Partial<LambdaDependencies> {
  concurrency?: number;
  awsTiming?: boolean;
}

export async function lambdaEndpoint(options: LambdaEndpointOptions = {}): Promise<LambdaEndpoint> {
  const folder = mkdtempSync(join(tmpdir(), "minilake-lambda-"));
  const store = Store.open(join(folder, "data"));
  let address = "";
  const settings: EmulatorSettings = {
    region: "us-east-1",
    accountId: "000000000000",
    endpoint: () => address,
    now: Date.now,
    strict: false,
    awsTiming: options.awsTiming ?? false,
    concurrency: options.concurrency ?? 4,
    report: (message, error) => endpoint.reports.push(`${message}${error ? ` ${String(error)}` : ""}`),
  };
  const dependencies: LambdaDependencies = {
    store,
    settings,
    folder: join(folder, "lambda"),
    authorize: () => ({ allowed: true, message: "" }),
    roleRefusal: () => undefined,
    assumeRoleForService: (roleArn, sessionName) => ({
      credentials: {
        accessKeyId: "ASIAEXAMPLE",
        secretAccessKey: "secret",
        sessionToken: "token",
        expiration: Date.now() + 3600_000,
      },
      caller: { ...ROOT, kind: "session", arn: `${roleArn}/${sessionName}` },
    }),
    appendLogs: (_caller, group, stream, events) => {
      for (const { message } of events) endpoint.logs.push({ group, stream, message });
    },
    recordMetrics: (data) => endpoint.metrics.push(...data),
    sendMessage: (_caller, queueArn, body, attributes) => {
      endpoint.messages.push({ queueArn, body, attributes });
      return undefined;
    },
    hasQueue: () => true,
    hasBucket: () => true,
    readObject: async () => {
      throw new AwsError("NoSuchKey", "The specified key does not exist.", 404);
    },
    putObject: async (_caller, bucket, key, body) => {
      endpoint.objects.push({ bucket, key, body });
    },
    faults: NO_FAULTS,
    ...options,
  };
  let service = createLambda(dependencies);
  const server = createServer(async (message, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const [path = "/", rawQuery = ""] = (message.url ?? "/").split("?");
    const request = {
      id: crypto.randomUUID(),
      method: message.method ?? "GET",
      path,
      rawQuery,
      query: new URLSearchParams(rawQuery),
      headers: message.headers,
      host: message.headers.host ?? "",
      remoteAddress: "127.0.0.1",
      body: Buffer.concat(chunks),
      stream: message,
    };
    const caller: Caller = message.headers.authorization ? ROOT : { ...ROOT, kind: "anonymous", arn: "" };
    const reply = await service.handle(request, caller).catch((error) => {
      if (error instanceof AwsError) return service.encodeError(error, request);
      endpoint.reports.push(String(error.stack));
      return service.encodeError(new AwsError("ServiceException", String(error), 500), request);
    });
    response.writeHead(reply.status, reply.headers);
    if (reply.body instanceof Readable) reply.body.pipe(response);
    else response.end(reply.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const lambda = new LambdaClient({
    endpoint: address,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  });
  const endpoint: LambdaEndpoint = {
    lambda,
    get service() {
      return service;
    },
    store,
    folder,
    logs: [],
    metrics: [],
    messages: [],
    objects: [],
    reports: [],
    restart: async () => {
      await service.stop?.();
      service = createLambda(dependencies);
      await service.start?.();
    },
  };
  await service.start?.();
  onTestFinished(async () => {
    lambda.destroy();
    await service.stop?.();
    server.closeAllConnections();
    server.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return endpoint;
}

// Its types are of another major version than itself.
const archiver = createRequire(import.meta.url)("archiver") as (
  format: "zip",
  options: object,
) => import("archiver").Archiver;

/** A deployment package of these files. */
export async function zipOf(files: Record<string, string | Buffer>): Promise<Buffer> {
  const archive = archiver("zip", { zlib: { level: 6 } });
  const out = new PassThrough();
  archive.pipe(out);
  for (const [name, content] of Object.entries(files)) archive.append(content, { name });
  const chunks: Buffer[] = [];
  out.on("data", (chunk: Buffer) => chunks.push(chunk));
  await archive.finalize();
  return Buffer.concat(chunks);
}
