import { describe, expect, test } from "vitest";
import type { Clients } from "../../../src/backends/clients.ts";
import { receiptKey } from "../../../src/contract/derivedKeys.ts";
import type { Receipt } from "../../../src/contract/receipt.ts";
import { eventObjects } from "../../../src/lake/deadLetters.ts";
import type { LakeDefinition } from "../../../src/lake/definition.ts";
import { compareKeys, readReceipts, sourceKeyOf, summariseReceipts } from "../../../src/lake/receipts.ts";
import { decodeListedKey } from "../../../src/lake/resources/bucket.ts";
import { withEntries } from "../../../src/lake/resources/notification.ts";
import { canonical } from "../../../src/lake/resources/resource.ts";
import { backlogOf } from "../../../src/lake/status.ts";

function receipt(key: string, change: Partial<Receipt> = {}, rows: Partial<Receipt["rows"]> = {}): Receipt {
  return {
    version: 1,
    lake: "orders",
    stage: "curate",
    status: "done",
    source: { bucket: "raw-orders", key, versionId: "v1", etag: "e1", size: 10, sequencer: "01" },
    contract: null,
    code: "c",
    dialect: null,
    partition: null,
    rows: { read: 0, accepted: 0, rejected: 0, blank: 0, rejectedByRule: {}, ...rows },
    bytes: { text: 10, header: 3, accepted: 7, rejected: 0, blank: 0, preamble: 0 },
    outputs: [],
    times: { event: null, started: "2026-01-01T00:00:00.000Z", finished: "2026-01-01T00:00:01.000Z", durationMs: 1000 },
    requestId: "r",
    ...change,
  };
}

test("a receipt's key and its object's key lead to each other", () => {
  for (const key of ["a.csv", "2024/01/a b.json", "receipts/curate/x.json.json"]) {
    expect(sourceKeyOf("curate", receiptKey("curate", key))).toBe(key);
  }
});

test("all receipts are found by the full keys of their files, however long", async () => {
  const long = `in/${"é".repeat(505)}.csv`;
  const stored = new Map([long, "a.csv"].map((key) => [receiptKey("curate", key), JSON.stringify(receipt(key))]));
  const s3 = {
    send: async ({ input }: { input: { Key?: string } }) =>
      input.Key === undefined
        ? { Contents: [...stored.keys()].map((Key) => ({ Key })) }
        : { Body: { transformToString: async () => stored.get(input.Key!) } },
  };
  const clients = { s3: async () => s3 } as unknown as Clients;
  const definition = { buckets: { control: "control-orders" } } as LakeDefinition;
  const receipts = await readReceipts(clients, definition, "curate");
  expect([...receipts.keys()].sort()).toEqual(["a.csv", long]);
});

test("keys are in the order of their UTF-8 bytes, as S3 lists them", () => {
  // By UTF-16 units, as JavaScript compares, the last two would change places.
  const listed = ["A", "a", "é", "\uffee", "😀"];
  expect([...listed].reverse().sort(compareKeys)).toEqual(listed);
});

test("listed keys are decoded as forms are", () => {
  expect(decodeListedKey("b+c%2Bd%26%C3%A9%2F%01.csv")).toBe("b c+d&é/\u0001.csv");
});

describe("sums of receipts", () => {
  test("rows of removed files and of files refused whole do not count, files under way are told apart", () => {
    const summary = summariseReceipts([
      receipt("a", {}, { read: 10, accepted: 8, rejected: 2, rejectedByRule: { "partition-date": 2 } }),
      receipt("b", { status: "rejected" }, { rejectedByRule: { "no-header": 1 } }),
      receipt("c", { status: "removed" }, { read: 99 }),
      receipt("d", { writing: [{ requestId: "x", until: "2026-01-01T00:00:00.000Z", outputs: [] }] }, { read: 5 }),
    ]);
    expect(summary.files).toEqual({ done: 1, rejected: 1, removed: 1, working: 1 });
    expect(summary.rows).toEqual({
      read: 10,
      accepted: 8,
      rejected: 2,
      blank: 0,
      rejectedByRule: { "partition-date": 2 },
    });
    expect(summary.lastFinished).toBe("2026-01-01T00:00:01.000Z");
  });
});

test("the backlog: no receipt, a receipt of another version, a deleted object whose outputs stand", () => {
  const object = (etag: string, day: number) => ({ etag, size: 100, lastModified: new Date(Date.UTC(2026, 0, day)) });
  const objects = new Map([
    ["new.csv", object("e1", 3)],
    ["changed.csv", object("e2", 2)],
    ["fine.csv", object("e1", 1)],
  ]);
  const receipts = new Map([
    ["changed.csv", receipt("changed.csv")],
    ["fine.csv", receipt("fine.csv")],
    ["deleted.csv", receipt("deleted.csv")],
    ["long-gone.csv", receipt("long-gone.csv", { status: "removed" })],
  ]);
  expect(backlogOf(objects, receipts, "remove")).toEqual({
    objects: 3,
    bytes: 200,
    keys: ["deleted.csv", "changed.csv", "new.csv"],
    oldest: "2026-01-01T00:00:01.000Z",
  });
  expect(backlogOf(objects, receipts, "keep").keys).toEqual(["changed.csv", "new.csv"]);
});

test("an event's objects, their keys decoded; what is no event names none", () => {
  const body = JSON.stringify({
    Records: [{ s3: { bucket: { name: "raw" }, object: { key: "a+b/%C3%A9.csv", versionId: "v" } } }],
  });
  expect(eventObjects(body)).toEqual([{ bucket: "raw", key: "a b/é.csv", versionId: "v" }]);
  expect(eventObjects("no JSON")).toEqual([]);
  expect(eventObjects('{"Event":"s3:TestEvent"}')).toEqual([]);
  expect(eventObjects("null")).toEqual([]);
});

describe("comparing with what AWS gives back", () => {
  test("order of members and lists, and a list of one, make no difference", () => {
    const ours = { Action: ["s3:PutObject", "s3:GetObject"], Resource: ["arn:a"], Effect: "Allow" };
    const theirs = { Effect: "Allow", Resource: "arn:a", Action: ["s3:GetObject", "s3:PutObject"] };
    expect(canonical(ours)).toBe(canonical(theirs));
    expect(canonical({ ...ours, Effect: "Deny" })).not.toBe(canonical(theirs));
    expect(canonical({ Action: ["s3:GetObject"] })).not.toBe(canonical({ Action: ["s3:GetObject", "s3:PutObject"] }));
  });

  test("our entry of a notification document is put in and taken out, and nothing else moves", () => {
    const theirs = { Id: "theirs", LambdaFunctionArn: "arn:x", Events: ["s3:ObjectTagging:Put" as const] };
    const ours = { Id: "ours", LambdaFunctionArn: "arn:y", Events: ["s3:ObjectCreated:*" as const] };
    const queue = { Id: "q", QueueArn: "arn:q", Events: ["s3:ObjectAcl:Put" as const] };
    const document = {
      LambdaFunctionConfigurations: [theirs],
      QueueConfigurations: [queue],
      EventBridgeConfiguration: {},
    };
    const withOurs = withEntries(document, [], ours);
    expect(withOurs).toEqual({ ...document, LambdaFunctionConfigurations: [theirs, ours] });
    const moved = { ...ours, LambdaFunctionArn: "arn:z" };
    expect(withEntries(withOurs, [ours], moved).LambdaFunctionConfigurations).toEqual([theirs, moved]);
    expect(withEntries(withOurs, [ours])).toEqual(document);
  });
});
