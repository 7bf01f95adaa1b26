import { Chalk } from "chalk";
import { expect, test } from "vitest";
import { renderStatus, statusLine } from "../../../src/cli/statusReport.ts";
import type { DeadLetter } from "../../../src/lake/deadLetters.ts";
import type { LakeStatus } from "../../../src/lake/status.ts";

const plain = new Chalk({ level: 0 });

const NOW = Date.UTC(2026, 10, 2, 0, 3);

const status = (changes: Partial<LakeStatus["stages"][0]> = {}, rest: Partial<LakeStatus> = {}): LakeStatus => ({
  lake: "transactions",
  layers: [
    { layer: "raw", bucket: "raw-transactions", exists: true, objects: 3, bytes: 4096, rows: 100 },
    { layer: "curated", bucket: "curated-transactions", exists: true, objects: 90, bytes: 2048, rows: 99 },
  ],
  stages: [
    {
      stage: "curate",
      functionName: "minilake-transactions-curate",
      functionState: "Active",
      files: { done: 3, rejected: 0, removed: 0, working: 0 },
      rows: { read: 100, accepted: 99, rejected: 1, blank: 0, rejectedByRule: { "ragged-row": 1 } },
      lastFinished: "2026-11-01T00:00:00.000Z",
      backlog: { objects: 0, bytes: 0, keys: [], oldest: undefined },
      errors: [],
      ...changes,
    },
  ],
  partitions: [],
  deadLetters: 0,
  ...rest,
});

const letter = (changes: Partial<DeadLetter>): DeadLetter => ({
  messageId: "1",
  error: "",
  requestId: "r",
  sentAt: "2026-11-02T00:00:00.000Z",
  event: "ObjectCreated:Put",
  objects: [],
  body: "",
  ...changes,
});

test("a lake that is at rest", () => {
  expect(renderStatus(status(), [], plain, { where: "the embedded endpoint", now: NOW })).toMatchSnapshot();
});

test("a lake with work to do and things that went wrong", () => {
  const keys = Array.from({ length: 9 }, (_, index) => `late-${index}.csv`);
  const text = renderStatus(
    status(
      {
        files: { done: 1, rejected: 1, removed: 2, working: 1 },
        backlog: { objects: 9, bytes: 9000, keys, oldest: "2026-11-01T00:00:00.000Z" },
        errors: [
          { time: "2026-11-02T00:00:00.000Z", message: "Task timed out after 3.00 seconds\nat line 2\u001b[2J" },
        ],
      },
      { deadLetters: 2 },
    ),
    [
      letter({ error: "Task timed out", objects: [{ bucket: "raw", key: "a\nb.csv", versionId: "1" }] }),
      letter({ objects: [] }),
    ],
    plain,
    { where: "AWS in eu-west-1", now: NOW },
  );
  expect(text).toMatchSnapshot();
});

test("long keys, many keys and log lines of functions are cut to what matters", () => {
  const log = { level: "ERROR", message: "The object is gone", stack: "x".repeat(500) };
  const text = renderStatus(
    status(
      {
        backlog: { objects: 1, bytes: 1, keys: ["k".repeat(900)], oldest: undefined },
        errors: [{ time: "2026-11-02T00:00:00.000Z", message: JSON.stringify(log) }],
      },
      { deadLetters: 1 },
    ),
    [
      letter({
        objects: Array.from({ length: 5000 }, (_, index) => ({ bucket: "raw", key: `${index}.csv`, versionId: "1" })),
      }),
    ],
    plain,
    { where: "here", now: NOW },
  );
  expect(text).toContain("kkk… 700 more characters …kkk");
  expect(text).toContain("2026-11-02T00:00:00.000Z  The object is gone\n");
  expect(text).toContain("4.csv, … 4,995 more: no reason recorded");
});

test("a lake of which parts are missing says how to get them back", () => {
  const text = renderStatus(
    status(
      { functionState: undefined },
      {
        deadLetters: undefined,
        layers: [{ layer: "raw", bucket: "raw-x", exists: false, objects: 0, bytes: 0, rows: undefined }],
      },
    ),
    [],
    plain,
    { where: "here", now: NOW },
  );
  expect(text).toContain("raw    raw-x   missing");
  expect(text).toContain("function minilake-transactions-curate (missing)");
  expect(text).toContain("there is no dead-letter queue");
  expect(text).toContain("minilake up");
});

test("rows per day are drawn over all days, those without rows included", () => {
  const day = (day: string, rows: number) => ({ day, rows, objects: 1, bytes: 10 * rows });
  const drawn = (partitions: LakeStatus["partitions"], width?: number) =>
    renderStatus(status({}, { partitions }), [], plain, { where: "here", now: NOW, width })
      .split("\n")
      .filter((line) => /^ {2}(partitions|rows per|per )/.test(line));
  expect(drawn([day("2026-02-27", 8), day("2026-02-28", 4), day("2026-03-02", 1)])).toEqual([
    "  partitions    3, 2026-02-27 to 2026-03-02, 1 to 8 rows each",
    "  rows per day  █▄▁▂",
  ]);
  expect(drawn([day("2026-02-27", 1)])).toEqual(["  partitions    1, 2026-02-27, 1 row each"]);
  const year = Array.from({ length: 365 }, (_, index) =>
    day(new Date(Date.UTC(2026, 0, 1 + index)).toISOString().slice(0, 10), 5),
  );
  expect(drawn(year, 60)).toEqual([
    "  partitions    365, 2026-01-01 to 2026-12-31, 5 rows each",
    `  per 9 days    ${"█".repeat(40)}▅`,
  ]);
});

test("in one line, for a pipe: what is there, and nothing that changes by itself", () => {
  expect(statusLine(status())).toBe("raw 3 objects, 100 rows; curated 90 objects, 99 rows; backlog 0; dead letters 0");
  const busy = status(
    { files: { done: 0, rejected: 0, removed: 0, working: 2 }, functionState: undefined },
    { deadLetters: undefined },
  );
  expect(statusLine(busy)).toMatch(/backlog 0; under way 2; function missing; no dead-letter queue$/);
});
