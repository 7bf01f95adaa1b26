import {
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  FilterLogEventsCommand,
  type FilterLogEventsCommandInput,
  GetLogEventsCommand,
  type GetLogEventsCommandInput,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Target, target } from "./target.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

async function newGroup(...streams: string[]): Promise<string> {
  const logGroupName = `/test/${t.uniqueName("group")}`;
  await t.logs.send(new CreateLogGroupCommand({ logGroupName }));
  for (const logStreamName of streams) {
    await t.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  }
  return logGroupName;
}

const put = (logGroupName: string, logStreamName: string, events: [timestamp: number, message: string][]) =>
  t.logs.send(
    new PutLogEventsCommand({
      logGroupName,
      logStreamName,
      logEvents: events.map(([timestamp, message]) => ({ timestamp, message })),
    }),
  );

async function get(logGroupName: string, more: Partial<GetLogEventsCommandInput> = {}) {
  const answer = await t.logs.send(new GetLogEventsCommand({ logGroupName, logStreamName: "s", ...more }));
  return {
    messages: answer.events!.map(({ message }) => message),
    forward: answer.nextForwardToken!,
    backward: answer.nextBackwardToken!,
  };
}

const filter = (logGroupName: string, more: Partial<FilterLogEventsCommandInput> = {}) =>
  t.logs.send(new FilterLogEventsCommand({ logGroupName, ...more }));

const filtered = async (logGroupName: string, more: Partial<FilterLogEventsCommandInput> = {}) =>
  (await filter(logGroupName, more)).events!.map(({ message }) => message);

describe("PutLogEvents", () => {
  it("leaves out and reports what is too old, expired or too new", async () => {
    const group = await newGroup("s");
    await t.logs.send(new PutRetentionPolicyCommand({ logGroupName: group, retentionInDays: 1 }));
    const now = Date.now();
    expect(await put(group, "s", [[now - 15 * DAY, "too old"]])).toMatchObject({
      rejectedLogEventsInfo: { tooOldLogEventEndIndex: 1 },
      nextSequenceToken: expect.stringMatching(/^\d{56}$/),
      $metadata: { httpStatusCode: 200 },
    });
    expect(
      (
        await put(group, "s", [
          [now - 1.1 * DAY, "expired"],
          [now - 0.2 * DAY, "kept"],
        ])
      ).rejectedLogEventsInfo,
    ).toEqual({ expiredLogEventEndIndex: 1 });
    expect(
      (
        await put(group, "s", [
          [now, "kept too"],
          [now + 3 * HOUR, "too new"],
          [now + 4 * HOUR, "too new"],
        ])
      ).rejectedLogEventsInfo,
    ).toEqual({ tooNewLogEventStartIndex: 1 });
    expect((await get(group)).messages).toEqual(["kept", "kept too"]);
  });

  it("refuses events out of order, over more than a day, too many bytes, and none at all", async () => {
    const group = await newGroup("s");
    const now = Date.now();
    await expect(
      put(group, "s", [
        [now, "b"],
        [now - 1, "a"],
      ]),
    ).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: "Log events in a single PutLogEvents request must be in chronological order.",
      $metadata: { httpStatusCode: 400 },
    });
    await expect(
      put(group, "s", [
        [now - DAY - 1, "a"],
        [now, "b"],
      ]),
    ).rejects.toMatchObject({ name: "InvalidParameterException" });
    const half = "x".repeat(524_288);
    await expect(
      put(group, "s", [
        [now, half],
        [now, half],
      ]),
    ).rejects.toMatchObject({ name: "InvalidParameterException", message: expect.stringContaining("1048576") });
    await expect(put(group, "s", [])).rejects.toMatchObject({ name: "InvalidParameterException" });
    await expect(put(group, "s", [[-1, "x"]])).rejects.toMatchObject({ name: "InvalidParameterException" });
    await expect(put(group, "s", [[now, ""]])).rejects.toMatchObject({ name: "InvalidParameterException" });
    expect((await get(group)).messages).toEqual([]);
  });

  it("needs group and stream", async () => {
    const group = await newGroup();
    await expect(put(group, "none", [[Date.now(), "x"]])).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "The specified log stream does not exist.",
    });
    await expect(put(`${group}-none`, "s", [[Date.now(), "x"]])).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "The specified log group does not exist.",
    });
  });
});

describe("GetLogEvents", () => {
  it("returns the latest page, and pages both ways from there", async () => {
    const group = await newGroup("s");
    const now = Date.now();
    await put(
      group,
      "s",
      ["1", "2", "3", "4", "5"].map((message, index) => [now + index, message]),
    );
    const latest = await get(group, { limit: 2 });
    expect(latest.messages).toEqual(["4", "5"]);
    expect(latest.forward).toMatch(/^f\/\d{56}$/);
    expect(latest.backward).toMatch(/^b\/\d{56}$/);
    const earlier = await get(group, { limit: 2, nextToken: latest.backward });
    expect(earlier.messages).toEqual(["2", "3"]);
    expect((await get(group, { limit: 2, nextToken: earlier.forward })).messages).toEqual(["4", "5"]);
    const earliest = await get(group, { limit: 2, nextToken: earlier.backward });
    expect(earliest.messages).toEqual(["1"]);
    expect(await get(group, { nextToken: earliest.backward })).toMatchObject({
      messages: [],
      backward: earliest.backward,
    });

    const first = await get(group, { limit: 3, startFromHead: true });
    expect(first.messages).toEqual(["1", "2", "3"]);
    const second = await get(group, { limit: 3, startFromHead: true, nextToken: first.forward });
    expect(second.messages).toEqual(["4", "5"]);
    const end = await get(group, { startFromHead: true, nextToken: second.forward });
    expect(end).toMatchObject({ messages: [], forward: second.forward });
    await put(group, "s", [[now + 9, "6"]]);
    expect((await get(group, { startFromHead: true, nextToken: end.forward })).messages).toEqual(["6"]);
  });

  it("takes startTime inclusive and endTime exclusive", async () => {
    const group = await newGroup("s");
    const now = Date.now();
    await put(
      group,
      "s",
      ["1", "2", "3"].map((message, index) => [now + index, message]),
    );
    expect((await get(group, { startTime: now + 1, endTime: now + 2 })).messages).toEqual(["2"]);
    expect((await get(group, { startTime: now + 1, startFromHead: true })).messages).toEqual(["2", "3"]);
  });

  it("refuses a bad token and a bad limit", async () => {
    const group = await newGroup("s");
    await expect(get(group, { nextToken: "f/12" })).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: "The specified nextToken is invalid.",
    });
    await expect(get(group, { limit: 10_001 })).rejects.toMatchObject({ name: "InvalidParameterException" });
  });

  it("stops a page at 1 MiB", async () => {
    const group = await newGroup("s");
    const now = Date.now();
    for (let index = 0; index < 3; index++) await put(group, "s", [[now + index, `${index}`.repeat(500_000)]]);
    const first = await get(group, { startFromHead: true });
    expect(first.messages.map((message) => message![0])).toEqual(["0", "1"]);
    const second = await get(group, { startFromHead: true, nextToken: first.forward });
    expect(second.messages.map((message) => message![0])).toEqual(["2"]);
  });
});

describe("FilterLogEvents", () => {
  it("returns the events of all streams by time, with stable ids", async () => {
    const group = await newGroup("s1", "s2", "other");
    const now = Date.now();
    await put(group, "s1", [
      [now, "a"],
      [now + 2, "c"],
    ]);
    await put(group, "s2", [
      [now + 1, "b"],
      [now + 3, "d"],
    ]);
    await put(group, "other", [[now + 1, "x"]]);
    const { events, searchedLogStreams, nextToken } = await filter(group, { logStreamNamePrefix: "s" });
    expect(events!.map(({ logStreamName, message }) => [logStreamName, message])).toEqual([
      ["s1", "a"],
      ["s2", "b"],
      ["s1", "c"],
      ["s2", "d"],
    ]);
    for (const event of events!) {
      expect(event.eventId).toMatch(/^\d{56}$/);
      expect(event.ingestionTime).toBeGreaterThanOrEqual(now - 1000);
    }
    expect(searchedLogStreams).toEqual([]);
    expect(nextToken).toBeUndefined();
    const again = await filter(group, { logStreamNamePrefix: "s" });
    expect(again.events).toEqual(events);
    expect(await filtered(group, { logStreamNames: ["other", "s2"] })).toEqual(["b", "x", "d"]);
    expect(await filtered(group, { startTime: now + 1, endTime: now + 2 })).toEqual(["b", "x", "c"]);
  });

  it("applies patterns", async () => {
    const group = await newGroup("s");
    const now = Date.now();
    await put(group, "s", [
      [now, "ERROR disk full\n"],
      [now, '{"level":"ERROR","n":5}\n'],
      [now, "INFO all well\n"],
    ]);
    expect(await filtered(group, { filterPattern: "ERROR" })).toHaveLength(2);
    expect(await filtered(group, { filterPattern: "ERROR -disk" })).toHaveLength(1);
    expect(await filtered(group, { filterPattern: "?INFO ?full" })).toHaveLength(2);
    expect(await filtered(group, { filterPattern: "{ $.n > 4 }" })).toEqual(['{"level":"ERROR","n":5}\n']);
    for (const filterPattern of ["{ $.n > }", "disk/full", "%(disk)%"]) {
      await expect(filter(group, { filterPattern })).rejects.toMatchObject({ name: "InvalidParameterException" });
    }
  });

  it("pages without losing or repeating an event, also when many share a time stamp", async () => {
    const group = await newGroup("s");
    const now = Date.now();
    const sent = Array.from({ length: 25 }, (_, index): [number, string] => [now, `${index}`]);
    await put(group, "s", sent);
    const seen: (string | undefined)[] = [];
    let nextToken: string | undefined;
    do {
      const page = await filter(group, { limit: 10, nextToken });
      seen.push(...page.events!.map(({ message }) => message));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    expect(seen).toEqual(sent.map(([, message]) => message));
  });

  it("refuses limits and combinations that AWS refuses", async () => {
    const group = await newGroup("s");
    await expect(filter(group, { limit: 10_001 })).rejects.toMatchObject({
      name: "InvalidParameterException",
      message:
        "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000",
    });
    await expect(filter(group, { logStreamNames: ["s"], logStreamNamePrefix: "s" })).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
    await expect(filter(`${group}-none`)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await expect(filter(group, { logStreamNames: ["s", "none"] })).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "The specified log stream does not exist.",
    });
  });

  it("does not return what the retention has ended", async () => {
    const group = await newGroup("s");
    const now = Date.now();
    await put(group, "s", [[now - 2 * DAY, "old"]]);
    await put(group, "s", [[now, "new"]]);
    expect(await filtered(group)).toEqual(["old", "new"]);
    await t.logs.send(new PutRetentionPolicyCommand({ logGroupName: group, retentionInDays: 1 }));
    expect(await filtered(group)).toEqual(["new"]);
    expect((await get(group)).messages).toEqual(["new"]);
  });
});
