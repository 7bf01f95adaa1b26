import { Chalk } from "chalk";
import { describe, expect, test } from "vitest";
import { describeRules, quarantineObject, renderExplanation } from "../../../src/cli/receiptReport.ts";
import { countChanges, renderResources } from "../../../src/cli/resourceTable.ts";
import { renderVerify } from "../../../src/cli/verifyReport.ts";
import type { Receipt } from "../../../src/contract/receipt.ts";
import type { ResourceReport } from "../../../src/lake/progress.ts";
import type { Finding, PartitionRow, VerifyReport } from "../../../src/verify/report.ts";

const plain = new Chalk({ level: 0 });

describe("resources", () => {
  const resources: ResourceReport[] = [
    { kind: "bucket", name: "raw-transactions", change: "created", aspects: [] },
    { kind: "role", name: "minilake-transactions-curate", change: "updated", aspects: ["policy", "tags"] },
    { kind: "queue", name: "minilake-transactions-dead-letters", change: "unchanged", aspects: [] },
    { kind: "bucket", name: "raw-others", change: "kept", aspects: [], reason: "not made by minilake" },
  ];

  test("one line each, with what was different and why it was kept", () => {
    expect(renderResources(resources, plain)).toBe(
      [
        "  resource  name                                change",
        "  bucket    raw-transactions                    created",
        "  role      minilake-transactions-curate        updated: policy, tags",
        "  queue     minilake-transactions-dead-letters  unchanged",
        "  bucket    raw-others                          kept: not made by minilake",
      ].join("\n"),
    );
  });

  test("counted by change", () => {
    expect(countChanges(resources, "would")).toBe("1 to create, 1 to update, 1 unchanged, 1 kept");
    expect(renderResources(resources, plain, { tense: "would" })).toContain("curate        update: policy, tags");
    expect(countChanges(resources)).toBe("1 created, 1 updated, 1 unchanged, 1 kept");
    expect(countChanges([{ kind: "role", name: "r", change: "absent", aspects: [] }])).toBe("1 already gone");
  });
});

describe("verification", () => {
  const day = (number: number, wrong = false): PartitionRow => ({
    partition: `2026-07-${String(number).padStart(2, "0")}`,
    objects: 1,
    rowsExpected: 10,
    rowsStored: wrong ? 9 : 10,
    ok: !wrong,
  });
  const report = (changes: Partial<VerifyReport>): VerifyReport => ({
    lake: "transactions",
    ok: true,
    quiet: true,
    partitions: [],
    totals: {
      rawObjects: 1,
      rawBytes: 2048,
      trustedObjects: 0,
      curatedObjects: 20,
      quarantineObjects: 1,
      rowsRead: 203,
      rowsTrusted: 0,
      rowsAccepted: 200,
      rowsRejected: 3,
      rowsStored: 200,
      rowsQuarantined: 3,
      filesRejected: 0,
    },
    findings: [],
    duplicates: [],
    findingsOmitted: 0,
    objectsRead: 22,
    bytesRead: 4096,
    started: "2026-11-01T00:00:00Z",
    durationMs: 120,
    ...changes,
  });
  const twenty = Array.from({ length: 20 }, (_, index) => day(index + 1));

  test("when all is well, the ends of a long table and a sentence", () => {
    expect(renderVerify(report({ partitions: twenty }), plain, {})).toMatchSnapshot();
  });

  test("when something is wrong, the partitions concerned, each finding and its rows", () => {
    const text = renderVerify(
      report({
        ok: false,
        partitions: [...twenty.slice(0, 19), day(20, true)],
        findings: [
          {
            type: "lost-row",
            message: "dt_reference=2026-07-20/a.csv lacks 1 row of a.csv.",
            source: "a.csv",
            partition: "2026-07-20",
            advice: "Make it again from raw: minilake reconcile --all a.csv",
            samples: [{ line: 42, storedLine: null, row: ["1", "2026-07-20\u001b[2J"] }],
          },
        ],
      }),
      plain,
      {},
    );
    const lines = text.split("\n").map((line) => line.trim().replace(/ {2,}/g, "  "));
    expect(lines).toContain("2026-07-20  1  10  9  ✖");
    expect(lines).not.toContain("2026-07-19  1  10  10  ✔");
    expect(lines).toContain("… 19 more, all right");
    expect(lines).toContain("✖ lost-row  dt_reference=2026-07-20/a.csv lacks 1 row of a.csv.");
    expect(lines).toContain("a.csv line 42: 1 | 2026-07-20\\x1b[2J");
    expect(lines).toContain("→ Make it again from raw: minilake reconcile --all a.csv");
    expect(lines).toContain("✖ 1 finding in 203 rows of 1 raw object.");
  });

  test("what mends several findings is said once", () => {
    const finding: Finding = { type: "lost-row", message: "A row is lost.", advice: "minilake reconcile" };
    const text = renderVerify(
      report({ ok: false, findings: [finding, finding, { ...finding, advice: "other" }] }),
      plain,
      {},
    );
    expect(text.match(/→ .*/g)).toEqual(["→ minilake reconcile", "→ other"]);
  });

  test("keys in several files, which fail only when they are to", () => {
    const duplicates: VerifyReport["duplicates"] = [
      {
        rule: "primary-key",
        columns: ["shop", "id"],
        keys: 2,
        rows: 1_005,
        files: Array.from({ length: 7 }, (_, index) => ({ source: `${index}.csv`, rows: 100 })),
        filesOmitted: 3,
        samples: [
          {
            places: [
              { source: "0.csv", line: 2 },
              { source: "1.csv", line: 7 },
            ],
            values: ["North", "17"],
          },
        ],
      },
    ];
    const text = renderVerify(report({ duplicates }), plain, {});
    expect(text).toMatchSnapshot();
    expect(renderVerify(report({ duplicates, ok: false }), plain, {})).toContain(
      "✖ 2 keys in several files, in 203 rows of 1 raw object; every row is where it belongs.",
    );
  });

  test("an empty lake, and one that was still at work", () => {
    const totals = { ...report({}).totals, rawObjects: 0 };
    expect(renderVerify(report({ totals }), plain, {})).toContain("The lake is empty");
    expect(renderVerify(report({ ok: false, quiet: false }), plain, {})).toContain("--timeout 5m");
  });
});

describe("receipts", () => {
  const receipt: Receipt = {
    version: 1,
    lake: "transactions",
    stage: "curate",
    status: "done",
    source: { bucket: "raw-transactions", key: "a.csv", versionId: "v", etag: "e", size: 100, sequencer: "1" },
    contract: null,
    code: "c0de",
    dialect: {
      compression: null,
      encoding: "utf-8",
      bom: true,
      delimiter: "\t",
      quote: '"',
      newline: "\r\n",
      preambleLines: 2,
      columns: ["id", "day"],
      why: ["Every line has one tab."],
    },
    partition: { column: "day", as: "dt_reference", timezone: "UTC", why: "the one column of ISO dates" },
    rows: { read: 5, accepted: 2, rejected: 3, blank: 1, rejectedByRule: { "ragged-row": 1, "partition-date": 2 } },
    bytes: { text: 100, header: 10, accepted: 40, rejected: 45, blank: 2, preamble: 3 },
    outputs: [
      {
        kind: "curated",
        bucket: "curated-transactions",
        key: "dt_reference=2026-07-01/a.csv",
        partition: "2026-07-01",
        rows: 2,
        bytes: 50,
        etag: "x",
      },
      {
        kind: "quarantine",
        bucket: "quarantine-transactions",
        key: "curate/a.csv.rejects.csv",
        rows: 3,
        bytes: 300,
        etag: "y",
      },
    ],
    times: { event: null, started: "", finished: "", durationMs: 1 },
    requestId: "r",
  };

  test("rules and the quarantine object", () => {
    expect(describeRules([receipt, receipt])).toBe("4 partition-date, 2 ragged-row");
    expect(quarantineObject(receipt)).toBe("s3://quarantine-transactions/curate/a.csv.rejects.csv");
  });

  test("explained in full", () => {
    expect(renderExplanation(receipt, plain)).toBe(
      [
        "  a.csv",
        '    read as    utf-8 with byte order mark, delimiter tab, quote ", line ends \\r\\n, header after 2 lines',
        "               - Every line has one tab.",
        "    columns    id, day",
        "    partition  dt_reference is the day of day: the one column of ISO dates",
        "    rows       5 read = 2 accepted + 3 in quarantine (2 partition-date, 1 ragged-row); 1 blank line",
        "    bytes      100 = header 10 + accepted 40 + rejected 45 + blank 2 + preamble 3",
      ].join("\n"),
    );
  });
});
