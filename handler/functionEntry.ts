import type { StageConfiguration } from "../src/contract/functionConfiguration.ts";
import { findStage, loadConfiguration, readingOf } from "./configuration.ts";
import { sourceEvents } from "./events.ts";
import { type LogContext, logFailure, logOutcome } from "./log.ts";
import { freeBytes } from "./outputs.ts";
import type { PrepareObject } from "./prepareObject.ts";
import { S3Client } from "./s3/s3Client.ts";
import { runStage, type StageContext } from "./stage.ts";

interface LambdaContext {
  awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

export type StageHandler = (payload: unknown, lambda: LambdaContext) => Promise<{ outcomes: object[] }>;

/** Assumed where Lambda does not say. */
const MEMORY_MB = 1769;

/**
 * The Lambda function of one stage.
 *
 * moduleUrl  of the function's own file
 * Reads      lake.json beside that file; AWS_REGION, AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, the role's credentials
 * The handler throws only for what is no fault of the data, so that Lambda tries again and then hands over to the
 * dead-letter queue.
 */
export async function stageHandler(
  name: StageConfiguration["name"],
  moduleUrl: string,
  prepareObject: PrepareObject,
): Promise<StageHandler> {
  const loaded = loadConfiguration(moduleUrl);
  const configuration = readingOf(loaded.configuration, name);
  const stage = findStage(configuration, name);
  const endpoint = process.env.AWS_ENDPOINT_URL_S3 || process.env.AWS_ENDPOINT_URL || undefined;
  let remainingMs: () => number = () => 0;
  let coldStart = true;
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

  return async (payload, lambda) => {
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
        code: loaded.code,
        requestId: lambda.awsRequestId,
        remainingMs,
        now: () => new Date(),
        prepare: (key, source, body) =>
          prepareObject(key, source, body, configuration, stage, {
            remainingMs: remainingMs(),
            spaceBytes: freeBytes(),
            memoryMb: Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE) || MEMORY_MB,
          }),
      };
      try {
        if (event.bucket !== stage.sourceBucket) {
          throw new Error(
            `an event of bucket ${event.bucket} came to ${stage.name}, which reads ${stage.sourceBucket}`,
          );
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
  };
}
