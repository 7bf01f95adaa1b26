import { Chalk } from "chalk";
import { expect, test } from "vitest";
import { renderIngest } from "../../../src/cli/ingestReport.ts";
import type { Receipt } from "../../../src/contract/receipt.ts";
import { type IngestOutcome, rowsOf } from "../../../src/lake/ingest.ts";
import type { RejectRecord } from "../../../src/lake/rejects.ts";

const plain = new Chalk({ level: 0 });
const buckets = { raw: "raw-x", curated: "curated-x", quarantine: "quarantine-x", control: "control-x" };

function outcome(
  key: string,
  changes: Partial<IngestOutcome> = {},
  rows?: { read: number; rejected: number },
): IngestOutcome {
  const receipt = rows && {
    status: "done",
    source: { key },
    rows: {
      ...rows,
      accepted: rows.read - rows.rejected,
      blank: 0,
      rejectedByRule: rows.rejected ? { "ragged-row": rows.rejected } : {},
    },
    outputs: [
      { kind: "curated", bucket: "curated-x", key: `d=2026-07-01/${key}`, partition: "2026-07-01" },
      ...(rows.rejected ? [{ kind: "quarantine", bucket: "quarantine-x", key: `curate/${key}.rejects.csv` }] : []),
    ],
  };
  return {
    name: key,
    key,
    size: 1024,
    status: "done",
    object: undefined,
    received: false,
    receipts: receipt ? [receipt as unknown as Receipt] : [],
    rows: receipt && rowsOf([receipt as unknown as Receipt]),
    error: undefined,
    durationMs: 20,
    ...changes,
  };
}

const render = (outcomes: IngestOutcome[], refusals = new Map<string, RejectRecord>(), width?: number) =>
  renderIngest({ outcomes, refusals, durationMs: 1500, buckets }, plain, width);

test("one file without rejects is one line and one sentence", () => {
  expect(render([outcome("a.csv", {}, { read: 10, rejected: 0 })])).toBe(
    [
      "  file      size  rows  curated  quarantine  partitions   time  outcome",
      "  a.csv  1.0 KiB    10       10           0           1  20 ms  done",
      "",
      "✔ 1 file: 10 rows read = 10 in 1 partition + 0 in quarantine, in 1.5 s.",
    ].join("\n"),
  );
});

test("every kind of outcome has its word, its reason and what to do", () => {
  const refused = outcome("refused.csv", {
    status: "rejected",
    receipts: [
      {
        outputs: [{ kind: "quarantine", bucket: "quarantine-x", key: "curate/refused.csv.rejects.csv" }],
      } as unknown as Receipt,
    ],
  });
  const text = render(
    [
      outcome("good.csv", {}, { read: 10, rejected: 2 }),
      outcome("empty.csv", {}, { read: 0, rejected: 0 }),
      refused,
      outcome("gone.csv", { status: "failed", error: { message: "gone.csv is not there any more." } }),
      outcome("late.csv", {
        status: "pending",
        error: { message: "late.csv has no receipt yet.", hint: "minilake status" },
      }),
      outcome("newer.csv", { status: "superseded" }),
    ],
    new Map([["refused.csv", { message: "no column holds ISO dates\u001b[31m" } as RejectRecord]]),
  );
  expect(text).toMatchSnapshot();
});

test("of very many files those that need a look are shown, and the others counted", () => {
  const many = Array.from({ length: 500 }, (_, index) =>
    outcome(`${index}.csv`, {}, { read: 2, rejected: index === 77 ? 1 : 0 }),
  );
  const text = render(many);
  expect(text.split("\n").length).toBeLessThan(12);
  expect(text).toContain("77.csv");
  expect(text).toContain("… 499 files more");
  expect(text).toContain("✔ 500 files: 1,000 rows read = 999 in 1 partition + 1 in quarantine");
});

test("of very many good files there is no empty table", () => {
  const many = Array.from({ length: 50 }, (_, index) => outcome(`${index}.csv`, {}, { read: 2, rejected: 0 }));
  expect(render(many).split("\n")).toEqual([
    "  50 files, all right",
    "",
    "✔ 50 files: 100 rows read = 100 in 1 partition + 0 in quarantine, in 1.5 s.",
  ]);
});

test("only uploaded", () => {
  expect(render([outcome("a.csv", { status: "uploaded" })])).toContain("1 file uploaded to s3://raw-x/ in 1.5 s");
});
