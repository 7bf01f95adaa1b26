import { findStage, loadConfiguration } from "./configuration.ts";
import { prepareCurate } from "./curateObject.ts";
import { sourceEvents } from "./events.ts";
import { type LogContext, logFailure, logOutcome } from "./log.ts";
import { freeBytes } from "./outputs.ts";
import { S3Client } from "./s3/s3Client.ts";
import { runStage, type StageContext } from "./stage.ts";

/**
 * The Lambda function of the stage `curate`: CSV objects of the source bucket become partitioned CSV in the target bucket.
 *
 * Reads   lake.json beside this file; AWS_REGION, AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, the role's credentials
 * Throws  only for what is no fault of the data, so that Lambda tries again and then hands over to the dead-letter queue
 */
interface LambdaContext {
  awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/** Assumed where Lambda does not say. */
const MEMORY_MB = 1769;

const { configuration, code } = loadConfiguration(import.meta.url);
const stage = findStage(configuration, "curate");
let remainingMs: () => number = () => 0;
let coldStart = true;

const endpoint = process.env.AWS_ENDPOINT_URL_S3 || process.env.AWS_ENDPOINT_URL || undefined;

const store = new S3Client({
  region: process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? "us-east-1",
  endpoint,
  // TLS is not loaded for an endpoint on this machine.
  transport: endpoint?.startsWith("http:") ? await import("node:http") : await import("node:https"),
  credentials: () => ({
    accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? "",
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? "",
    ...(process.env.AWS_SESSION_TOKEN ? { sessionToken: process.env.AWS_SESSION_TOKEN } : {}),
  }),
  remainingMs: () => remainingMs(),
});

export async function handler(payload: unknown, lambda: LambdaContext): Promise<{ outcomes: object[] }> {
  remainingMs = () => lambda.getRemainingTimeInMillis();
  const events = sourceEvents(payload);
  const outcomes: object[] = [];
  let failure: unknown;
  for (const event of events) {
    const started = Date.now();
    const log: LogContext = {
      lake: configuration.lake,
      stage: stage.name,
      requestId: lambda.awsRequestId,
      now: new Date(),
      coldStart,
      write: (line) => process.stdout.write(`${line}\n`),
    };
    coldStart = false;
    const context: StageContext = {
      store,
      configuration,
      stage,
      code,
      requestId: lambda.awsRequestId,
      remainingMs,
      now: () => new Date(),
      prepare: (key, source, body) =>
        prepareCurate(key, source, body, configuration, stage, {
          remainingMs: remainingMs(),
          spaceBytes: freeBytes(),
          memoryMb: Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE) || MEMORY_MB,
        }),
    };
    try {
      if (event.bucket !== stage.sourceBucket) {
        throw new Error(`an event of bucket ${event.bucket} came to ${stage.name}, which reads ${stage.sourceBucket}`);
      }
      const outcome = await runStage(context, event);
      log.now = new Date();
      logOutcome(log, event, outcome, Date.now() - started);
      outcomes.push({ key: event.key, result: outcome.result });
    } catch (error) {
      log.now = new Date();
      logFailure(log, event, error);
      failure ??= error;
    }
  }
  // The files that worked are in their receipts; a retry of the whole event finds them as duplicates.
  if (failure !== undefined) throw failure;
  return { outcomes };
}
