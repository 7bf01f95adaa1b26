import { XMLParser } from "fast-xml-parser";
import { expect, test } from "vitest";
import { renderJUnit } from "../../../src/cli/ingestJUnit.ts";
import type { IngestOutcome } from "../../../src/lake/ingest.ts";
import type { RejectRecord } from "../../../src/lake/rejects.ts";

const outcome = (changes: Partial<IngestOutcome>): IngestOutcome => ({
  name: "a.csv",
  key: "a.csv",
  size: 10,
  status: "done",
  object: undefined,
  received: false,
  receipts: [],
  rows: undefined,
  error: undefined,
  durationMs: 1234,
  ...changes,
});

test("a case per file, whatever is in its name; refused and failed ones are failures", () => {
  const rows = { read: 5, accepted: 3, rejected: 2, rejectedByRule: { "ragged-row": 2 }, partitions: ["2026-01-01"] };
  const xml = renderJUnit(
    "sales",
    [
      outcome({ rows }),
      outcome({ key: 'x<&">\u0001\n.csv', status: "rejected" }),
      outcome({ key: "gone.csv", status: "failed", error: { message: "gone.csv is not there any more." } }),
    ],
    new Map([['x<&">\u0001\n.csv', { rule: "not-csv", message: "the file is JSON" } as RejectRecord]]),
    5_000,
  );
  const { testsuites } = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "" }).parse(xml);
  expect(testsuites).toMatchObject({ tests: "3", failures: "2", time: "5.000" });
  expect(testsuites.testsuite.testcase).toMatchObject([
    {
      classname: "minilake.sales",
      name: "a.csv",
      time: "1.234",
      "system-out": "5 rows read = 3 in 1 partitions + 2 in quarantine (2 ragged-row)",
    },
    { failure: { message: "refused whole: not-csv: the file is JSON" } },
    { name: "gone.csv", failure: { message: "gone.csv is not there any more." } },
  ]);
});
