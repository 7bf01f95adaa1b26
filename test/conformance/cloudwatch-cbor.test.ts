import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeCbor, encodeCbor } from "../../src/emulator/protocols/cbor.ts";
import { signedPost } from "./signedPost.ts";
import { type Target, target } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

const HEADERS = { "content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", "x-amzn-query-mode": "true" };
const pathOf = (operation: string) => `/service/GraniteServiceVersion20100801/operation/${operation}`;

async function send(operation: string, body: Uint8Array | "", headers: Record<string, string> = {}) {
  const response = await signedPost(t, "monitoring", pathOf(operation), body, { ...HEADERS, ...headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    bytes,
    protocol: response.headers.get("smithy-protocol"),
    type: response.headers.get("content-type"),
    queryError: response.headers.get("x-amzn-query-error"),
    output: (bytes.length === 0 ? undefined : decodeCbor(bytes)) as Record<string, unknown>,
  };
}

const call = (operation: string, input: object) => send(operation, encodeCbor(input));

/** The start of the minute of 20 minutes ago. */
const START = Math.floor(Date.now() / 60_000 - 20) * 60_000;
const at = (second: number) => new Date(START + second * 1000);

const sums = async (Namespace: string) => {
  const input = { Namespace, MetricName: "m", StartTime: at(0), EndTime: at(600), Period: 60, Statistics: ["Sum"] };
  return (await call("GetMetricStatistics", input)).output.Datapoints;
};

describe("CloudWatch over rpc-v2-cbor", () => {
  it("stores values and gives statistics, with points in time as tag 1", async () => {
    const ns = t.uniqueName("ns");
    const MetricData = [
      { MetricName: "m", Value: 1.5, Timestamp: at(0), Unit: "Count" },
      { MetricName: "m", Values: [2, 4], Counts: [3, 1], Timestamp: at(59.5), Unit: "Count" },
    ];
    expect(await call("PutMetricData", { Namespace: ns, MetricData })).toMatchObject({
      status: 200,
      protocol: "rpc-v2-cbor",
      type: null,
      output: undefined,
    });
    const { bytes, ...statistics } = await call("GetMetricStatistics", {
      Namespace: ns,
      MetricName: "m",
      StartTime: at(0),
      EndTime: at(60),
      Period: 60,
      Statistics: ["Sum", "SampleCount"],
      ExtendedStatistics: ["p50"],
    });
    expect(statistics).toEqual({
      status: 200,
      protocol: "rpc-v2-cbor",
      type: "application/cbor",
      queryError: null,
      output: {
        Label: "m",
        Datapoints: [{ Timestamp: at(0), Sum: 11.5, SampleCount: 5, Unit: "Count", ExtendedStatistics: { p50: 2 } }],
      },
    });
    // SampleCount is a double by the model: some clients read nothing else.
    expect(bytes.includes(encodeCbor({ SampleCount: 5 }).subarray(1))).toBe(true);
  });

  it("describes alarms with integers where the model has them", async () => {
    const AlarmName = t.uniqueName("alarm");
    const input = {
      AlarmName,
      Namespace: "n",
      MetricName: "m",
      Statistic: "Sum",
      Period: 300,
      EvaluationPeriods: 2,
      DatapointsToAlarm: 1,
      Threshold: 7,
      ComparisonOperator: "GreaterThanThreshold",
      ActionsEnabled: false,
    };
    expect((await call("PutMetricAlarm", input)).status).toBe(200);
    const { output, bytes } = await call("DescribeAlarms", { AlarmNames: [AlarmName] });
    expect(output.MetricAlarms).toEqual([
      expect.objectContaining({ ...input, StateValue: "INSUFFICIENT_DATA", StateUpdatedTimestamp: expect.any(Date) }),
    ]);
    const asWritten = (member: object, isInteger: boolean) =>
      bytes.includes(encodeCbor(member, () => isInteger).subarray(1));
    expect(asWritten({ Period: 300 }, true)).toBe(true);
    expect(asWritten({ EvaluationPeriods: 2 }, true)).toBe(true);
    expect(asWritten({ DatapointsToAlarm: 1 }, true)).toBe(true);
    expect(asWritten({ Threshold: 7 }, false)).toBe(true);
  });

  it("reads lists, maps and texts of indefinite length, and short floats", async () => {
    const ns = t.uniqueName("ns");
    const text = (value: string) => encodeCbor(value);
    const bytes = Buffer.concat([
      Buffer.of(0xbf), // a map
      text("Namespace"),
      Buffer.of(0x7f), // a text in two parts
      text(ns.slice(0, 3)),
      text(ns.slice(3)),
      Buffer.of(0xff),
      text("MetricData"),
      Buffer.of(0x9f, 0xbf), // a list of maps
      text("MetricName"),
      text("m"),
      text("Value"),
      Buffer.of(0xf9, 0x3e, 0x00), // 1.5 in two bytes
      text("Unit"),
      Buffer.of(0xf6), // null, as if it were not there
      text("Timestamp"),
      encodeCbor(at(0)),
      Buffer.of(0xff, 0xff, 0xff),
    ]);
    expect((await send("PutMetricData", bytes)).status).toBe(200);
    expect(await sums(ns)).toEqual([{ Timestamp: at(0), Sum: 1.5, Unit: "None" }]);
  });

  it("takes compressed requests and requests without a body", async () => {
    const ns = t.uniqueName("ns");
    const body = encodeCbor({ Namespace: ns, MetricData: [{ MetricName: "m", Value: 9, Timestamp: at(0) }] });
    expect((await send("PutMetricData", gzipSync(body), { "content-encoding": "gzip" })).status).toBe(200);
    expect(await sums(ns)).toEqual([{ Timestamp: at(0), Sum: 9, Unit: "None" }]);
    expect((await send("ListMetrics", "")).output.Metrics).toContainEqual({
      Namespace: ns,
      MetricName: "m",
      Dimensions: [],
    });
  });

  it("answers errors with their type, message and the code of the query protocol", async () => {
    expect(await call("DeleteAlarms", { AlarmNames: ["nobody's"] })).toMatchObject({
      status: 404,
      protocol: "rpc-v2-cbor",
      type: "application/cbor",
      queryError: "ResourceNotFound;Sender",
      output: { __type: expect.stringMatching(/#ResourceNotFound$/), message: expect.stringContaining("nobody's") },
    });
    const MetricData = [{ MetricName: "m", Value: Number.NaN }];
    expect(await call("PutMetricData", { Namespace: "n", MetricData })).toMatchObject({
      status: 400,
      queryError: "InvalidParameterValue;Sender",
      output: { __type: expect.stringMatching(/#InvalidParameterValueException$/) },
    });
    expect(await call("PutDashboard", {})).toMatchObject({
      status: 501,
      output: { message: expect.stringContaining("cloudwatch:PutDashboard") },
    });
  });

  it.each([
    ["cut off", Buffer.from("a1694e616d657370616365", "hex")],
    ["no map", encodeCbor(["Namespace"])],
    ["JSON", Buffer.from('{"Namespace":"n"}')],
    ["nested without end", Buffer.alloc(500_000, 0x81)],
    ["a list longer than memory", Buffer.from("a1694e616d6573706163659bffffffffffffffff", "hex")],
    ["of a key that is there twice", Buffer.from("a2616101616102", "hex")],
  ])("refuses a body that is %s", async (_what, body) => {
    expect(await send("ListMetrics", body)).toMatchObject({
      status: 400,
      protocol: "rpc-v2-cbor",
      output: { __type: expect.stringMatching(/#SerializationException$/) },
    });
  });

  it("refuses values of another type than the model's", async () => {
    const Dimensions = [{ Name: "a", Value: new Date(0) }];
    for (const input of [
      { Namespace: new Date(0) },
      { Namespace: "n", MetricData: { a: 1 } },
      { Namespace: "n", MetricData: [1] },
      { Namespace: "n", MetricData: [{ MetricName: "m", Value: true }] },
      { Namespace: "n", MetricData: [{ MetricName: "m", Value: 1, Dimensions }] },
      { Namespace: "n", MetricData: [{ MetricName: "m", StatisticValues: 1 }] },
    ]) {
      expect(await call("PutMetricData", input)).toMatchObject({ status: 400 });
    }
  });

  it("refuses requests that nobody signed in its own words", async () => {
    const response = await fetch(new URL(pathOf("ListMetrics"), t.endpoint), { method: "POST", headers: HEADERS });
    expect(response.status).toBe(403);
    expect(decodeCbor(Buffer.from(await response.arrayBuffer()))).toMatchObject({
      __type: expect.stringMatching(/#MissingAuthenticationToken/),
    });
  });
});
