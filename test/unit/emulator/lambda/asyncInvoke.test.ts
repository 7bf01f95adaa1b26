import {
  InvokeCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  type PutFunctionEventInvokeConfigCommandInput,
} from "@aws-sdk/client-lambda";
import { describe, expect, test } from "vitest";
import { NO_FAULTS } from "../../../../src/emulator/faults.ts";
import { waitFor } from "../../../conformance/target.ts";
import { type LambdaEndpoint, lambdaEndpoint } from "./endpoint.ts";
import { createFunction, deliver, FUNCTION_ARN } from "./functions.ts";

const DLQ = "arn:aws:sqs:us-east-1:000000000000:dead";
const QUEUE = "arn:aws:sqs:us-east-1:000000000000:records";
const FAILS = `export const handler = async (event) => { console.log("ran", JSON.stringify(event)); throw new Error("no luck"); };`;
const WORKS = `export const handler = async (event) => { console.log("ran", JSON.stringify(event)); return { ok: event.n }; };`;

const configure = (endpoint: LambdaEndpoint, config: Omit<PutFunctionEventInvokeConfigCommandInput, "FunctionName">) =>
  endpoint.lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: "f", ...config }));
const runs = (endpoint: LambdaEndpoint) => endpoint.logs.filter(({ message }) => message.includes("\tINFO\tran "));
const queued = (endpoint: LambdaEndpoint) => endpoint.store.table("lambda.events").count();
const diskFull = () => Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
const settled = (endpoint: LambdaEndpoint) => waitFor(() => queued(endpoint) === 0);

describe("what becomes of an event", () => {
  test("Invoke with type Event answers 202 and runs it", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, WORKS);
    const answer = await endpoint.lambda.send(
      new InvokeCommand({ FunctionName: "f", InvocationType: "Event", Payload: '{"n":1}' }),
    );
    expect([answer.StatusCode, answer.ExecutedVersion]).toEqual([202, undefined]);
    await waitFor(() => runs(endpoint).length === 1);
    expect(
      endpoint.logs.some(({ message }) => message.startsWith(`START RequestId: ${answer.$metadata.requestId} `)),
    ).toBe(true);
  });

  test("a failing function is tried three times with one request id, then the event goes to the dead-letter queue", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, FAILS, { DeadLetterConfig: { TargetArn: DLQ } });
    deliver(endpoint, { n: 1 });
    await waitFor(() => endpoint.messages.length === 1 && runs(endpoint).length >= 3);
    expect(runs(endpoint)).toHaveLength(3);
    const ids = new Set(runs(endpoint).map(({ message }) => message.split("\t")[1]));
    expect(ids.size).toBe(1);
    expect(endpoint.messages).toEqual([
      {
        queueArn: DLQ,
        body: '{"n":1}',
        attributes: {
          RequestID: { DataType: "String", StringValue: [...ids][0] },
          ErrorCode: { DataType: "Number", StringValue: "200" },
          ErrorMessage: { DataType: "String", StringValue: "no luck" },
        },
      },
    ]);
    await settled(endpoint);
  });

  test("destinations get the recorded envelopes", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `export const handler = async (event) => { if (event.fail) throw new Error("no luck"); return { ok: true }; };`,
    );
    await configure(endpoint, {
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnSuccess: { Destination: QUEUE }, OnFailure: { Destination: QUEUE } },
    });
    deliver(endpoint, { n: 1 });
    await waitFor(() => endpoint.messages.length === 1);
    deliver(endpoint, { fail: true });
    await waitFor(() => endpoint.messages.length === 2);
    const [success, failure] = endpoint.messages.map(({ body }) => JSON.parse(body));
    expect(success).toEqual({
      version: "1.0",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      requestContext: {
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        functionArn: `${FUNCTION_ARN}:$LATEST`,
        condition: "Success",
        approximateInvokeCount: 1,
      },
      requestPayload: { n: 1 },
      responseContext: { statusCode: 200, executedVersion: "$LATEST" },
      responsePayload: { ok: true },
    });
    expect(failure).toMatchObject({
      requestContext: { condition: "RetriesExhausted", approximateInvokeCount: 1 },
      requestPayload: { fail: true },
      responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
      responsePayload: { errorType: "Error", errorMessage: "no luck" },
    });
  });

  test("a failed event becomes an object, a result the event of another function", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `export const handler = async (event) => { if (event.fail) throw new Error("x"); };`,
    );
    await createFunction(endpoint, WORKS, { FunctionName: "next" });
    await configure(endpoint, {
      MaximumRetryAttempts: 0,
      DestinationConfig: {
        OnSuccess: { Destination: FUNCTION_ARN.replace(/f$/, "next") },
        OnFailure: { Destination: "arn:aws:s3:::failures" },
      },
    });
    deliver(endpoint, { n: 1 });
    deliver(endpoint, { fail: true });
    await settled(endpoint);
    await waitFor(() => runs(endpoint).length === 1);
    expect(runs(endpoint)[0]!.group).toBe("/aws/lambda/next");
    expect(endpoint.objects).toEqual([
      {
        bucket: "failures",
        key: expect.stringMatching(
          /^aws\/lambda\/async\/f\/\d{4}\/\d\d\/\d\d\/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}$/,
        ),
        body: expect.anything(),
      },
    ]);
    expect(JSON.parse(endpoint.objects[0]!.body.toString())).toMatchObject({ requestPayload: { fail: true } });
  });

  test("an event whose next try would come too late is given up at once", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, FAILS);
    await configure(endpoint, {
      MaximumEventAgeInSeconds: 60,
      DestinationConfig: { OnFailure: { Destination: QUEUE } },
    });
    deliver(endpoint, { n: 1 });
    await waitFor(() => endpoint.messages.length === 1);
    expect(JSON.parse(endpoint.messages[0]!.body).requestContext).toMatchObject({
      condition: "EventAgeExceeded",
      approximateInvokeCount: 1,
    });
    await waitFor(() => runs(endpoint).length === 1);
    expect(queued(endpoint)).toBe(0);
  });

  test("without concurrency nothing is tried", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, WORKS, { DeadLetterConfig: { TargetArn: DLQ } });
    await endpoint.lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: "f", ReservedConcurrentExecutions: 0 }),
    );
    await configure(endpoint, { DestinationConfig: { OnFailure: { Destination: QUEUE } } });
    deliver(endpoint, { n: 1 });
    await waitFor(() => endpoint.messages.length === 2);
    const record = JSON.parse(endpoint.messages.find(({ queueArn }) => queueArn === QUEUE)!.body);
    expect(record.requestContext).toMatchObject({ condition: "ZeroReservedConcurrency", approximateInvokeCount: 0 });
    expect(record).not.toHaveProperty("responseContext");
    expect(record).not.toHaveProperty("responsePayload");
    expect(runs(endpoint)).toEqual([]);
  });

  test("a destination that refuses is counted, reported and given up", async () => {
    const endpoint = await lambdaEndpoint({ sendMessage: () => "no such queue" });
    await createFunction(endpoint, FAILS, { DeadLetterConfig: { TargetArn: DLQ } });
    await configure(endpoint, { MaximumRetryAttempts: 0, DestinationConfig: { OnFailure: { Destination: QUEUE } } });
    deliver(endpoint, { n: 1 });
    await settled(endpoint);
    await waitFor(() => endpoint.metrics.some(({ name }) => name === "DestinationDeliveryFailures"));
    expect(endpoint.metrics.some(({ name }) => name === "DeadLetterErrors")).toBe(true);
    expect(endpoint.reports.join("\n")).toContain("no such queue");
  });

  test("a record that cannot be stored, as on a full disk, is sent later", { timeout: 20_000 }, async () => {
    let failures = 1;
    const kept: string[] = [];
    const putObject = async (_caller: unknown, bucket: string) => {
      if (failures-- > 0) throw diskFull();
      kept.push(bucket);
    };
    const endpoint = await lambdaEndpoint({ putObject });
    await createFunction(endpoint, FAILS);
    const OnFailure = { Destination: "arn:aws:s3:::records" };
    await configure(endpoint, { MaximumRetryAttempts: 0, DestinationConfig: { OnFailure } });
    deliver(endpoint, { n: 1 });
    await settled(endpoint);
    expect(kept).toEqual(["records"]);
    expect(endpoint.reports.join()).toContain("the outcome of an event of function f could not be stored");
  });

  test("an outcome that cannot be stored, as on a full disk, ends nothing, and the event runs again", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, WORKS);
    await waitFor(async () => queued(endpoint) === 0);
    const { store } = endpoint;
    const transaction = store.transaction.bind(store);
    deliver(endpoint, { n: 1 });
    store.transaction = () => {
      throw diskFull();
    };
    await waitFor(() =>
      endpoint.reports.join().includes("the state of an asynchronous invocation could not be stored"),
    );
    store.transaction = transaction;
    // Nor were the lines that it logged.
    expect([runs(endpoint).length, queued(endpoint)]).toEqual([0, 1]);
    await endpoint.restart();
    await settled(endpoint);
    await waitFor(() => runs(endpoint).length === 1);
  });

  test("throttled tries do not count as tries", async () => {
    let refusals = 3;
    const faults = { ...NO_FAULTS, throttle: () => refusals-- > 0 };
    const endpoint = await lambdaEndpoint({ faults });
    await createFunction(endpoint, WORKS);
    await configure(endpoint, { MaximumRetryAttempts: 0 });
    deliver(endpoint, { n: 1 });
    await waitFor(() => runs(endpoint).length === 1);
    await waitFor(() => endpoint.metrics.some(({ name }) => name === "Invocations"));
    expect(
      endpoint.metrics.filter(({ name, dimensions }) => name === "Throttles" && !dimensions.FunctionName),
    ).toHaveLength(3);
  });

  test("a role that cannot be assumed for a while delays the event and loses nothing", async () => {
    let failures = 2;
    const endpoint = await lambdaEndpoint();
    const broken = await lambdaEndpoint({
      assumeRoleForService: () => {
        if (failures-- > 0) throw new Error("no such role");
        return {
          credentials: { accessKeyId: "a", secretAccessKey: "b", sessionToken: "c", expiration: Date.now() + 3600_000 },
          caller: { kind: "session", accountId: "000000000000", arn: "x", userId: "y" },
        };
      },
    });
    await createFunction(broken, WORKS);
    deliver(broken, { n: 1 });
    await waitFor(() => runs(broken).length === 1);
    expect(endpoint.reports).toEqual([]);
  });

  test("a function that triggers itself is stopped after 16 rounds", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(
      endpoint,
      `export const handler = async () => { console.log("ran", process.env._X_AMZN_TRACE_ID); };`,
    );
    let traceHeader: string | undefined;
    for (let round = 1; round <= 17; round++) {
      endpoint.store.transaction(() =>
        endpoint.service.deliver(FUNCTION_ARN, "{}", {
          service: "s3.amazonaws.com",
          arn: "arn:aws:s3:::raw",
          accountId: "000000000000",
          traceHeader,
        }),
      );
      if (round === 17) break;
      await waitFor(() => runs(endpoint).length === round);
      traceHeader = runs(endpoint).at(-1)!.message.split("ran ")[1]!.trim();
    }
    await settled(endpoint);
    await waitFor(() => endpoint.reports.some((report) => report.includes("stopped after 16 rounds")));
    expect(runs(endpoint)).toHaveLength(16);
  });
});

describe("many events, crashes, deletions", () => {
  test.each([1, 2, 4])(
    "300 events at concurrency %i: each runs, in order where only one runs at a time",
    async (concurrency) => {
      const endpoint = await lambdaEndpoint({ concurrency });
      await createFunction(endpoint, `export const handler = async ({ n }) => { console.log("ran", n); };`);
      for (let n = 0; n < 300; n++) deliver(endpoint, { n });
      await waitFor(() => runs(endpoint).length >= 300);
      const order = runs(endpoint).map(({ message }) => Number(message.split("ran ")[1]));
      if (concurrency === 1) expect(order).toEqual(Array.from({ length: 300 }, (_, n) => n));
      else expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, n) => n));
      expect(queued(endpoint)).toBe(0);
    },
  );

  test("events that were queued or running when the endpoint stopped run after its restart", async () => {
    const endpoint = await lambdaEndpoint({ concurrency: 1 });
    await createFunction(
      endpoint,
      `export const handler = ({ n }) => new Promise((resolve) => setTimeout(() => { console.log("ran", n); resolve(); }, 30));`,
    );
    for (let n = 0; n < 10; n++) deliver(endpoint, { n });
    await waitFor(() => runs(endpoint).length >= 2);
    await endpoint.restart();
    await settled(endpoint);
    await waitFor(() => new Set(runs(endpoint).map(({ message }) => message.split("ran ")[1])).size === 10);
  });

  test("an event that waits for its next try keeps its count over a restart", async () => {
    const endpoint = await lambdaEndpoint();
    await createFunction(endpoint, FAILS, { DeadLetterConfig: { TargetArn: DLQ } });
    deliver(endpoint, { n: 1 });
    await waitFor(() => runs(endpoint).length === 1);
    await endpoint.restart();
    await waitFor(() => endpoint.messages.length === 1 && runs(endpoint).length >= 3);
    expect(runs(endpoint)).toHaveLength(3);
  });

  test("events wait for a function that is still Pending", async () => {
    const endpoint = await lambdaEndpoint();
    const created = createFunction(endpoint, WORKS);
    await waitFor(
      () =>
        endpoint.service.refusal(FUNCTION_ARN, { service: "s3.amazonaws.com", arn: "b", accountId: "0" }) === undefined,
    );
    deliver(endpoint, { n: 1 });
    await created;
    await waitFor(() => runs(endpoint).length === 1);
  });
});
