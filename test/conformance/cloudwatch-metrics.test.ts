import { gzipSync } from "node:zlib";
import {
  type Datapoint,
  GetMetricDataCommand,
  type GetMetricDataCommandInput,
  GetMetricStatisticsCommand,
  ListMetricsCommand,
  type MetricDatum,
  PutDashboardCommand,
  PutMetricDataCommand,
  type Statistic,
} from "@aws-sdk/client-cloudwatch";
import { CreateLogGroupCommand, CreateLogStreamCommand, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { XMLParser } from "fast-xml-parser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signedPost, signedQuery } from "./signedPost.ts";
import { type Target, target, waitFor } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

/** The start of the minute of 20 minutes ago. */
const START = Math.floor(Date.now() / 60_000 - 20) * 60_000;
const at = (second: number) => new Date(START + second * 1000);

const put = (Namespace: string, ...MetricData: MetricDatum[]) =>
  t.cloudwatch.send(new PutMetricDataCommand({ Namespace, MetricData }));

async function statistics(
  Namespace: string,
  more: {
    Period?: number;
    Statistics?: Statistic[];
    ExtendedStatistics?: string[];
    Unit?: "Count";
    Dimensions?: [];
  } = {},
): Promise<Datapoint[]> {
  const { Datapoints } = await t.cloudwatch.send(
    new GetMetricStatisticsCommand({
      Namespace,
      MetricName: "m",
      StartTime: at(0),
      EndTime: at(600),
      Period: 60,
      Statistics: more.ExtendedStatistics ? undefined : ["Sum"],
      ...more,
    }),
  );
  return Datapoints!.sort((left, right) => Number(left.Timestamp) - Number(right.Timestamp));
}

const query = (Id: string, Namespace: string, more: object = {}, metric: object = {}) => ({
  Id,
  MetricStat: { Metric: { Namespace, MetricName: "m", ...metric }, Period: 60, Stat: "Sum", ...more },
});

const getData = (MetricDataQueries: GetMetricDataCommandInput["MetricDataQueries"], more: object = {}) =>
  t.cloudwatch.send(new GetMetricDataCommand({ MetricDataQueries, StartTime: at(0), EndTime: at(600), ...more }));

describe("PutMetricData and GetMetricStatistics", () => {
  it("aggregate values, distributions and statistic sets by period", async () => {
    const ns = t.uniqueName("ns");
    await put(
      ns,
      { MetricName: "m", Value: 1, Unit: "Count", Timestamp: at(0) },
      { MetricName: "m", Values: [2, 4], Counts: [3, 1], Unit: "Count", Timestamp: at(59) },
      {
        MetricName: "m",
        StatisticValues: { SampleCount: 2, Sum: 30, Minimum: 10, Maximum: 20 },
        Unit: "Count",
        Timestamp: at(60),
      },
      { MetricName: "m", Value: 100, Unit: "Count", Timestamp: at(600) },
    );
    const all: Statistic[] = ["SampleCount", "Sum", "Average", "Minimum", "Maximum"];
    expect(await statistics(ns, { Statistics: all })).toEqual([
      { Timestamp: at(0), SampleCount: 5, Sum: 11, Average: 2.2, Minimum: 1, Maximum: 4, Unit: "Count" },
      { Timestamp: at(60), SampleCount: 2, Sum: 30, Average: 15, Minimum: 10, Maximum: 20, Unit: "Count" },
    ]);
    expect(await statistics(ns, { Period: 300 })).toEqual([{ Timestamp: at(0), Sum: 41, Unit: "Count" }]);
  });

  it("give percentiles", async () => {
    const ns = t.uniqueName("ns");
    const Values = Array.from({ length: 100 }, (_, index) => index + 1);
    await put(ns, { MetricName: "m", Values, Timestamp: at(0) });
    expect(await statistics(ns, { ExtendedStatistics: ["p50", "p99.5"] })).toEqual([
      { Timestamp: at(0), Unit: "None", ExtendedStatistics: { p50: 50, "p99.5": 100 } },
    ]);
  });

  it("keep units and dimension sets apart", async () => {
    const ns = t.uniqueName("ns");
    const Dimensions = [
      { Name: "b", Value: "2" },
      { Name: "a", Value: "1" },
    ];
    await put(
      ns,
      { MetricName: "m", Value: 1, Unit: "Count", Timestamp: at(0) },
      { MetricName: "m", Value: 2, Unit: "Bytes", Timestamp: at(0) },
      { MetricName: "m", Value: 4, Unit: "Count", Dimensions, Timestamp: at(0) },
    );
    expect((await statistics(ns)).map(({ Sum, Unit }) => [Sum, Unit]).sort()).toEqual([
      [1, "Count"],
      [2, "Bytes"],
    ]);
    expect((await statistics(ns, { Unit: "Count" })).map(({ Sum }) => Sum)).toEqual([1]);
    const { Datapoints } = await t.cloudwatch.send(
      new GetMetricStatisticsCommand({
        Namespace: ns,
        MetricName: "m",
        Dimensions: Dimensions.toReversed(),
        StartTime: at(0),
        EndTime: at(60),
        Period: 60,
        Statistics: ["Sum"],
      }),
    );
    expect(Datapoints!.map(({ Sum }) => Sum)).toEqual([4]);
  });

  it("answer periods below a minute from high-resolution data alone", async () => {
    const ns = t.uniqueName("ns");
    await put(
      ns,
      { MetricName: "m", Value: 1, StorageResolution: 1, Timestamp: at(1) },
      { MetricName: "m", Value: 2, StorageResolution: 1, Timestamp: at(11) },
      { MetricName: "m", Value: 4, Timestamp: at(12) },
    );
    expect((await statistics(ns, { Period: 10 })).map(({ Timestamp, Sum }) => [Timestamp, Sum])).toEqual([
      [at(0), 1],
      [at(10), 2],
    ]);
    expect((await statistics(ns)).map(({ Sum }) => Sum)).toEqual([7]);
  });

  it.each([
    [
      "both Value and Values",
      { Value: 1, Values: [1] },
      "InvalidParameterCombination",
      "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have specified both.",
    ],
    [
      "Counts of another size",
      { Values: [1, 2], Counts: [1] },
      "InvalidParameterValue",
      "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size.",
    ],
    ["no value", {}, "MissingParameter", "The parameter MetricData.member.1.Value is required."],
    [
      "a time too long ago",
      { Value: 1, Timestamp: new Date(START - 15 * 86_400_000) },
      "InvalidParameterValue",
      /two weeks/,
    ],
    ["no values", { Values: [] }, "MissingParameter", "The parameter MetricData.member.1.Value is required."],
    ["Counts beside one Value", { Value: 1, Counts: [2] }, "InvalidParameterCombination", /Counts/],
    ["a negative count", { Values: [1], Counts: [-1] }, "InvalidParameterValue", /Counts/],
    [
      "a statistic set of fewer than no samples",
      { StatisticValues: { SampleCount: -1, Sum: 1, Minimum: 1, Maximum: 1 } },
      "InvalidParameterValue",
      /SampleCount/,
    ],
    [
      "a statistic set upside down",
      { StatisticValues: { SampleCount: 2, Sum: 6, Minimum: 5, Maximum: 1 } },
      "InvalidParameterValue",
      /Minimum/,
    ],
    [
      "a dimension twice",
      {
        Value: 1,
        Dimensions: [
          { Name: "d", Value: "1" },
          { Name: "d", Value: "2" },
        ],
      },
      "InvalidParameterValue",
      /Dimensions/,
    ],
    [
      "a dimension beyond ASCII",
      { Value: 1, Dimensions: [{ Name: "d", Value: "ü" }] },
      "InvalidParameterValue",
      "The parameter MetricData.member.1.Dimensions.member.1.Value must contain only ASCII characters.",
    ],
    ["a blank dimension", { Value: 1, Dimensions: [{ Name: " ", Value: "x" }] }, "InvalidParameterValue", /Name/],
    ["151 values", { Values: Array(151).fill(1) }, "InvalidParameterValue", /150/],
    [
      "31 dimensions",
      { Value: 1, Dimensions: Array.from({ length: 31 }, (_, n) => ({ Name: `n${n}`, Value: "v" })) },
      "InvalidParameterValue",
      /30/,
    ],
  ])("refuse %s", async (_what, datum, Code, message) => {
    await expect(put(t.uniqueName("ns"), { MetricName: "m", ...datum })).rejects.toMatchObject({
      Code,
      message: typeof message === "string" ? message : expect.stringMatching(message),
      $metadata: { httpStatusCode: 400 },
    });
  });

  it("keep what was counted no time out of the statistics", async () => {
    const ns = t.uniqueName("ns");
    await put(ns, { MetricName: "m", Values: [5], Counts: [0], Timestamp: at(0) });
    await put(ns, { MetricName: "m", Values: [1, 9], Counts: [2, 0], Timestamp: at(60) });
    expect(await statistics(ns, { Statistics: ["Sum", "Maximum", "Average"] })).toEqual([
      { Timestamp: at(60), Sum: 2, Maximum: 1, Average: 1, Unit: "None" },
    ]);
  });

  it("refuse AWS's own namespaces, backward times, odd periods and too many points", async () => {
    await expect(put("AWS/Lambda", { MetricName: "m", Value: 1 })).rejects.toMatchObject({
      Code: "InvalidParameterValue",
    });
    const ns = t.uniqueName("ns");
    const ask = (StartTime: Date, EndTime: Date, Period: number) =>
      t.cloudwatch.send(
        new GetMetricStatisticsCommand({
          Namespace: ns,
          MetricName: "m",
          StartTime,
          EndTime,
          Period,
          Statistics: ["Sum"],
        }),
      );
    await expect(ask(at(60), at(0), 60)).rejects.toMatchObject({
      Code: "InvalidParameterValue",
      message: "The parameter StartTime must be less than the parameter EndTime.",
    });
    await expect(ask(at(0), at(60), 7)).rejects.toMatchObject({ Code: "InvalidParameterValue" });
    await expect(ask(at(0), at(1441 * 60), 60)).rejects.toMatchObject({
      Code: "InvalidParameterCombination",
      message:
        "You have requested up to 1441 datapoints, which exceeds the limit of 1440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
    });
  });
});

describe("GetMetricData", () => {
  it("returns several metrics, newest first or oldest first, each with a label of its own", async () => {
    const ns = t.uniqueName("ns");
    const Dimensions = [{ Name: "d", Value: "x" }];
    await put(
      ns,
      { MetricName: "m", Value: 1, Timestamp: at(0) },
      { MetricName: "m", Value: 3, Timestamp: at(60) },
      { MetricName: "m", Value: 5, Dimensions, Timestamp: at(60) },
    );
    const queries = [query("a", ns), query("b", ns, { Stat: "Average" }, { Dimensions }), query("c", `${ns}-none`)];
    const { MetricDataResults, Messages, NextToken } = await getData(queries);
    expect(MetricDataResults).toEqual([
      { Id: "a", Label: "m Sum", Timestamps: [at(60), at(0)], Values: [3, 1], StatusCode: "Complete" },
      { Id: "b", Label: "x m Average", Timestamps: [at(60)], Values: [5], StatusCode: "Complete" },
      { Id: "c", Label: "m Sum", Timestamps: [], Values: [], StatusCode: "Complete" },
    ]);
    expect(Messages).toEqual([]);
    expect(NextToken).toBeUndefined();
    const oldestFirst = await getData([query("a", ns)], { ScanBy: "TimestampAscending" });
    expect(oldestFirst.MetricDataResults).toEqual([
      { Id: "a", Label: "m", Timestamps: [at(0), at(60)], Values: [1, 3], StatusCode: "Complete" },
    ]);
  });

  it("pages when there are more data points than asked for", async () => {
    const ns = t.uniqueName("ns");
    await put(ns, ...[0, 60, 120].map((second) => ({ MetricName: "m", Value: second, Timestamp: at(second) })));
    const first = await getData([query("a", ns)], { MaxDatapoints: 2 });
    expect(first.MetricDataResults![0]).toMatchObject({ Values: [120, 60], StatusCode: "PartialData" });
    const second = await getData([query("a", ns)], { MaxDatapoints: 2, NextToken: first.NextToken });
    expect(second.MetricDataResults![0]).toMatchObject({ Values: [0], StatusCode: "Complete" });
    expect(second.NextToken).toBeUndefined();
  });

  it("refuses metric math by name, bad ids and backward times", async () => {
    await expect(getData([{ Id: "e", Expression: "SUM(METRICS())" }])).rejects.toMatchObject({
      name: "NotImplemented",
      message: expect.stringContaining("Expression"),
      $metadata: { httpStatusCode: 501 },
    });
    const dynamic = { ...query("a", "n"), Label: `[max: $${"{MAX}"}]` };
    await expect(getData([dynamic])).rejects.toMatchObject({ message: expect.stringContaining("Label") });
    const trimmed = statistics(t.uniqueName("ns"), { ExtendedStatistics: ["tm99"] });
    await expect(trimmed).rejects.toMatchObject({ message: expect.stringContaining("tm99") });
    await expect(getData([query("a", "n")], { ScanBy: "Oldest" })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 400 },
    });
    await expect(getData([query("Bad", "n")])).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    await expect(getData([query("a", "n")], { EndTime: at(0) })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 400 },
    });
  });
});

describe("ListMetrics", () => {
  it("finds metrics by namespace, name and dimensions", async () => {
    const ns = t.uniqueName("ns");
    const dimensions = (...values: string[]) => values.map((Value, index) => ({ Name: `d${index}`, Value }));
    await put(
      ns,
      { MetricName: "a", Value: 1 },
      { MetricName: "a", Value: 1, Dimensions: dimensions("x", "y") },
      { MetricName: "b", Value: 1, Dimensions: dimensions("x") },
    );
    const list = async (input: object) =>
      (await t.cloudwatch.send(new ListMetricsCommand({ Namespace: ns, ...input }))).Metrics!.map(
        ({ MetricName, Dimensions }) => `${MetricName} ${Dimensions!.map(({ Value }) => Value).join("")}`,
      );
    expect((await list({})).sort()).toEqual(["a ", "a xy", "b x"]);
    expect((await list({ MetricName: "a" })).sort()).toEqual(["a ", "a xy"]);
    expect((await list({ Dimensions: [{ Name: "d0", Value: "x" }] })).sort()).toEqual(["a xy", "b x"]);
    expect(await list({ Dimensions: [{ Name: "d1" }], RecentlyActive: "PT3H" })).toEqual(["a xy"]);
  });
});

describe("embedded metric format", () => {
  it("arrives from log events", async () => {
    const ns = t.uniqueName("ns");
    const logGroupName = `/test/${ns}`;
    await t.logs.send(new CreateLogGroupCommand({ logGroupName }));
    await t.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: "s" }));
    const embedded = {
      _aws: {
        Timestamp: START,
        CloudWatchMetrics: [{ Namespace: ns, Dimensions: [[]], Metrics: [{ Name: "m", Unit: "Count" }] }],
      },
      m: 7,
    };
    const logEvents = [
      { timestamp: START, message: `${JSON.stringify(embedded)}\n` },
      { timestamp: START, message: `2026-01-01T00:00:00.000Z\tid\tINFO\t${JSON.stringify(embedded)}\n` },
    ];
    await t.logs.send(new PutLogEventsCommand({ logGroupName, logStreamName: "s", logEvents }));
    const [point] = await waitFor(async () => {
      const points = await statistics(ns);
      return points.length > 0 ? points : undefined;
    });
    expect(point).toEqual({ Timestamp: at(0), Sum: 14, Unit: "Count" });
  });
});

describe("CloudWatch protocols", () => {
  const ask = async (params: Record<string, string>) => {
    const response = await signedQuery(t, "monitoring", { Version: "2010-08-01", ...params });
    return { status: response.status, xml: new XMLParser({ parseTagValue: false }).parse(await response.text()) };
  };

  it("include the query protocol", async () => {
    const ns = t.uniqueName("ns");
    const sent = await ask({
      Action: "PutMetricData",
      Namespace: ns,
      "MetricData.member.1.MetricName": "m",
      "MetricData.member.1.Timestamp": at(0).toISOString(),
      "MetricData.member.1.Values.member.1": "1.5",
      "MetricData.member.1.Values.member.2": "3",
      "MetricData.member.1.Counts.member.1": "2",
      "MetricData.member.1.Counts.member.2": "1",
      "MetricData.member.1.Dimensions.member.1.Name": "d",
      "MetricData.member.1.Dimensions.member.1.Value": "x",
    });
    expect(sent.status).toBe(200);
    const { xml } = await ask({
      Action: "GetMetricStatistics",
      Namespace: ns,
      MetricName: "m",
      "Dimensions.member.1.Name": "d",
      "Dimensions.member.1.Value": "x",
      StartTime: at(0).toISOString(),
      EndTime: at(60).toISOString(),
      Period: "60",
      "Statistics.member.1": "Sum",
      "ExtendedStatistics.member.1": "p50",
    });
    expect(xml.GetMetricStatisticsResponse.GetMetricStatisticsResult).toEqual({
      Label: "m",
      Datapoints: {
        member: {
          Timestamp: at(0).toISOString(),
          Sum: "6",
          Unit: "None",
          ExtendedStatistics: { entry: { key: "p50", value: "1.5" } },
        },
      },
    });
    const refused = await ask({ Action: "PutMetricData", Namespace: ns, "MetricData.member.1.MetricName": "m" });
    expect(refused.status).toBe(400);
    expect(refused.xml.ErrorResponse.Error).toMatchObject({ Type: "Sender", Code: "MissingParameter" });
  });

  it("answer members of the wrong type with 400", async () => {
    const post = async (operation: string, input: object) => {
      const response = await signedPost(t, "monitoring", "/", JSON.stringify(input), {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": `GraniteServiceVersion20100801.${operation}`,
      });
      return response.status;
    };
    const time = { StartTime: START / 1000, EndTime: START / 1000 + 60 };
    const MetricStat = { Metric: { Namespace: "n", MetricName: "m" }, Period: 60, Stat: "Sum" };
    const ask = (more: object, span: object = time) => ({ MetricDataQueries: [{ Id: "a", ...more }], ...span });
    for (const [operation, input] of [
      ["PutMetricData", { Namespace: "n", MetricData: [{ MetricName: "m", StatisticValues: null }] }],
      ["GetMetricData", ask({ MetricStat: null })],
      ["GetMetricData", ask({ MetricStat: { ...MetricStat, Metric: null } })],
      ["GetMetricData", ask({ MetricStat: { ...MetricStat, Metric: "m" } })],
      ["GetMetricData", ask({ MetricStat: { ...MetricStat, Period: 6e300 } })],
      ["GetMetricData", ask({ MetricStat }, { ...time, StartTime: [1] })],
      [
        "GetMetricData",
        ask({ MetricStat: { ...MetricStat, Metric: { Namespace: "n".repeat(256), MetricName: "m" } } }),
      ],
      ["DescribeAlarms", { StateValue: "RED" }],
      ["DescribeAlarms", { AlarmTypes: ["Metric"] }],
    ] as const) {
      expect([operation, input, await post(operation, input)]).toEqual([operation, input, 400]);
    }
  });

  it("include compressed requests", async () => {
    const ns = t.uniqueName("ns");
    const datum = { MetricName: "m", Value: 9, Timestamp: START / 1000 };
    const body = gzipSync(JSON.stringify({ Namespace: ns, MetricData: [datum] }));
    const response = await signedPost(t, "monitoring", "/", body, {
      "content-type": "application/x-amz-json-1.0",
      "content-encoding": "gzip",
      "x-amz-target": "GraniteServiceVersion20100801.PutMetricData",
    });
    expect(response.status).toBe(200);
    expect((await statistics(ns)).map(({ Sum }) => Sum)).toEqual([9]);
  });

  it("refuse every operation that is not there by name", async () => {
    await expect(
      t.cloudwatch.send(new PutDashboardCommand({ DashboardName: "d", DashboardBody: "{}" })),
    ).rejects.toMatchObject({ message: expect.stringContaining("cloudwatch:PutDashboard") });
  });

  it("survive a restart with their data", async ({ skip }) => {
    skip(t.name !== "embedded", "only the embedded endpoint is restarted by a test");
    const ns = t.uniqueName("ns");
    await put(ns, { MetricName: "m", Value: 3, Timestamp: at(0) });
    await t.restart();
    const points = await waitFor(() => statistics(ns));
    expect(points.map(({ Sum }) => Sum)).toEqual([3]);
  });
});
