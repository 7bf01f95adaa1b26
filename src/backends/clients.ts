import type { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import type { IAMClient } from "@aws-sdk/client-iam";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { STSClient } from "@aws-sdk/client-sts";

/** SDK clients of one backend. Each service's library is loaded when its client is first asked for: loading costs more than a call. */
export interface Clients {
  readonly region: string;
  s3(): Promise<S3Client>;
  iam(): Promise<IAMClient>;
  lambda(): Promise<LambdaClient>;
  sqs(): Promise<SQSClient>;
  logs(): Promise<CloudWatchLogsClient>;
  cloudwatch(): Promise<CloudWatchClient>;
  sts(): Promise<STSClient>;
  /** Closes the sockets, so that the process can end. */
  destroy(): void;
}

export interface ClientSettings {
  region: string;
  /** Undefined: AWS itself. */
  endpoint?: string | undefined;
  /** Undefined: the SDK's default chain, with `profile` when given. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } | undefined;
  profile?: string | undefined;
  forcePathStyle: boolean;
}

/** Tries per call, the first included; waits between them grow from 100 ms. */
const MAX_ATTEMPTS = 6;
/** Sockets per service; the rest of the calls queue. */
const MAX_SOCKETS = 64;
const CONNECTION_TIMEOUT_MS = 5_000;
const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };

type AnyClient = { destroy(): void };

export function createClients(settings: ClientSettings): Clients {
  // The SDK's notice about the end of Node 20, on every start, is for its developers; it is read once, on import.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const shared = {
    region: settings.region,
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
    ...(settings.credentials === undefined ? {} : { credentials: settings.credentials }),
    ...(settings.profile === undefined ? {} : { profile: settings.profile }),
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, httpAgent: agent, httpsAgent: agent },
  };
  const made = new Map<string, Promise<AnyClient>>();
  const once = <C extends AnyClient>(name: string, make: () => Promise<C>): Promise<C> => {
    const existing = made.get(name) as Promise<C> | undefined;
    if (existing) return existing;
    const client = make();
    made.set(name, client);
    return client;
  };
  return {
    region: settings.region,
    s3: () =>
      once("s3", async () => {
        const { S3Client } = await import("./sdk/s3.ts");
        return new S3Client({
          ...shared,
          forcePathStyle: settings.forcePathStyle,
          // Reading a checksum back costs more than the read itself in JavaScript; `verify` compares contents anyway.
          responseChecksumValidation: "WHEN_REQUIRED",
        });
      }),
    iam: () => once("iam", async () => new (await import("./sdk/iam.ts")).IAMClient(shared)),
    lambda: () => once("lambda", async () => new (await import("./sdk/lambda.ts")).LambdaClient(shared)),
    sqs: () =>
      once("sqs", async () => {
        const { SQSClient } = await import("./sdk/sqs.ts");
        // A queue's URL may name a host that only its own network knows (LocalStack); the endpoint given is the one to call.
        return new SQSClient({
          ...shared,
          ...(settings.endpoint === undefined ? {} : { useQueueUrlAsEndpoint: false }),
        });
      }),
    logs: () => once("logs", async () => new (await import("./sdk/logs.ts")).CloudWatchLogsClient(shared)),
    cloudwatch: () =>
      once("cloudwatch", async () => new (await import("./sdk/cloudwatch.ts")).CloudWatchClient(shared)),
    sts: () => once("sts", async () => new (await import("./sdk/sts.ts")).STSClient(shared)),
    destroy: () => {
      for (const client of made.values()) client.then((made) => made.destroy()).catch(() => {});
      made.clear();
    },
  };
}
