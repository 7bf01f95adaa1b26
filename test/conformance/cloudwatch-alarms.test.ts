import {
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  ListTagsForResourceCommand,
  PutMetricAlarmCommand,
  type PutMetricAlarmCommandInput,
  PutMetricDataCommand,
  SetAlarmStateCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-cloudwatch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Target, target } from "./target.ts";

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

async function newAlarm(more: Partial<PutMetricAlarmCommandInput> = {}): Promise<string> {
  const AlarmName = more.AlarmName ?? t.uniqueName("alarm");
  await t.cloudwatch.send(
    new PutMetricAlarmCommand({
      AlarmName,
      Namespace: AlarmName,
      MetricName: "m",
      Statistic: "Sum",
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 10,
      ComparisonOperator: "GreaterThanThreshold",
      ...more,
    }),
  );
  return AlarmName;
}

const find = async (name: string) =>
  (await t.cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: [name] }))).MetricAlarms![0];
const arnOf = (name: string) => `arn:aws:cloudwatch:${t.region}:${t.accountId}:alarm:${name}`;

describe("metric alarms", () => {
  it("are stored as they were put, and replaced", async () => {
    const name = await newAlarm({ AlarmDescription: "d", Dimensions: [{ Name: "FunctionName", Value: "f" }] });
    expect(await find(name)).toMatchObject({
      AlarmName: name,
      AlarmArn: arnOf(name),
      AlarmDescription: "d",
      ActionsEnabled: true,
      OKActions: [],
      AlarmActions: [],
      InsufficientDataActions: [],
      StateValue: "INSUFFICIENT_DATA",
      StateReason: "Unchecked: Initial alarm creation",
      MetricName: "m",
      Namespace: name,
      Statistic: "Sum",
      Dimensions: [{ Name: "FunctionName", Value: "f" }],
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 10,
      ComparisonOperator: "GreaterThanThreshold",
    });
    await newAlarm({ AlarmName: name, Statistic: undefined, ExtendedStatistic: "p90", Threshold: 0.5 });
    const replaced = await find(name);
    expect(replaced).toMatchObject({ ExtendedStatistic: "p90", Threshold: 0.5 });
    expect(replaced).not.toHaveProperty("Statistic");
    expect(replaced).not.toHaveProperty("AlarmDescription");
  });

  it("follow their metric", async () => {
    const name = await newAlarm({ TreatMissingData: "notBreaching" });
    expect((await find(name))!.StateValue).toBe("OK");
    const MetricData = [{ MetricName: "m", Value: 11 }];
    await t.cloudwatch.send(new PutMetricDataCommand({ Namespace: name, MetricData }));
    const alarm = (await find(name))!;
    expect(alarm.StateValue).toBe("ALARM");
    expect(alarm.StateReason).toMatch(
      /^Threshold Crossed: 1 out of the last 1 datapoints \[11\.0 \(.*\)\] was greater than the threshold \(10\.0\)\.$/,
    );
    const { MetricAlarms } = await t.cloudwatch.send(
      new DescribeAlarmsCommand({ AlarmNamePrefix: name, StateValue: "OK" }),
    );
    expect(MetricAlarms).toEqual([]);
  });

  it("can be set to a state by hand", async () => {
    const AlarmName = await newAlarm();
    await t.cloudwatch.send(new SetAlarmStateCommand({ AlarmName, StateValue: "ALARM", StateReason: "a drill" }));
    expect(await find(AlarmName)).toMatchObject({ StateValue: "ALARM", StateReason: "a drill" });
    await expect(
      t.cloudwatch.send(
        new SetAlarmStateCommand({ AlarmName: `${AlarmName}-none`, StateValue: "OK", StateReason: "x" }),
      ),
    ).rejects.toMatchObject({ Code: "ResourceNotFound", $metadata: { httpStatusCode: 404 } });
  });

  it("are listed in pages and deleted together or not at all", async () => {
    const prefix = t.uniqueName("list");
    const names: string[] = [];
    for (const end of ["a", "b", "c"]) names.push(await newAlarm({ AlarmName: `${prefix}-${end}` }));
    const list = async (input: object = {}) => {
      const answer = await t.cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: prefix, ...input }));
      return { names: answer.MetricAlarms!.map(({ AlarmName }) => AlarmName), NextToken: answer.NextToken };
    };
    const first = await list({ MaxRecords: 2 });
    expect(first.names).toEqual(names.slice(0, 2));
    expect(await list({ MaxRecords: 2, NextToken: first.NextToken })).toEqual({ names: names.slice(2) });
    const remove = (...AlarmNames: string[]) => t.cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames }));
    await expect(remove(names[0]!, `${prefix}-none`)).rejects.toMatchObject({ Code: "ResourceNotFound" });
    expect((await list()).names).toEqual(names);
    await remove(...names);
    expect((await list()).names).toEqual([]);
  });

  it("have tags, which a replacement leaves alone", async () => {
    const name = await newAlarm({ Tags: [{ Key: "a", Value: "1" }] });
    const ResourceARN = arnOf(name);
    const tags = async () => (await t.cloudwatch.send(new ListTagsForResourceCommand({ ResourceARN }))).Tags;
    await t.cloudwatch.send(new TagResourceCommand({ ResourceARN, Tags: [{ Key: "b", Value: "2" }] }));
    await newAlarm({ AlarmName: name, Tags: [{ Key: "c", Value: "3" }] });
    expect(await tags()).toEqual([
      { Key: "a", Value: "1" },
      { Key: "b", Value: "2" },
    ]);
    await t.cloudwatch.send(new UntagResourceCommand({ ResourceARN, TagKeys: ["a"] }));
    expect(await tags()).toEqual([{ Key: "b", Value: "2" }]);
    await expect(
      t.cloudwatch.send(new ListTagsForResourceCommand({ ResourceARN: `${ResourceARN}-none` })),
    ).rejects.toMatchObject({ name: "ResourceNotFoundException", $metadata: { httpStatusCode: 404 } });
  });

  it("refuse actions and metric math by name, and wrong values", async () => {
    await expect(newAlarm({ AlarmActions: ["arn:aws:sns:us-east-1:1:t"] })).rejects.toMatchObject({
      name: "NotImplemented",
      message: expect.stringContaining("AlarmActions"),
      $metadata: { httpStatusCode: 501 },
    });
    await expect(newAlarm({ Metrics: [{ Id: "a", Expression: "1" }] })).rejects.toMatchObject({
      message: expect.stringContaining("Metrics"),
    });
    const invalid = { $metadata: { httpStatusCode: 400 } };
    await expect(newAlarm({ ComparisonOperator: "Greater" as "LessThanThreshold" })).rejects.toMatchObject(invalid);
    for (const Period of [61, 1, 5]) await expect(newAlarm({ Period })).rejects.toMatchObject(invalid);
    await newAlarm({ Period: 20 });
    await expect(newAlarm({ MetricName: "m".repeat(256) })).rejects.toMatchObject(invalid);
    await expect(newAlarm({ EvaluationPeriods: 0 })).rejects.toMatchObject(invalid);
    await expect(newAlarm({ EvaluationPeriods: 1, DatapointsToAlarm: 2 })).rejects.toMatchObject(invalid);
    await expect(newAlarm({ TreatMissingData: "whatever" })).rejects.toMatchObject(invalid);
    await expect(newAlarm({ Threshold: Number.NaN })).rejects.toMatchObject(invalid);
    await expect(newAlarm({ Threshold: undefined })).rejects.toMatchObject({ Code: "MissingParameter" });
  });
});
