import type { StageName } from "./compareOutputs.ts";
import type { SourceResult } from "./compareSource.ts";
import { type RejectedRow, rejectedRowHash } from "./expectation.ts";
import { type ExplainOptions, HELD_ROWS } from "./explainRows.ts";
import { firstStage, type LakeStage, plural, quarantineKey, stageOf, type VerifiedLake } from "./lake.ts";
import type { Finding, RowSample } from "./report.ts";
import { claimOf, readSourceAgain } from "./stageSource.ts";
import { readStoredRejects } from "./storedRows.ts";

/** One record on one side, or on both. */
interface HeldRecord {
  line: number;
  offset: number;
  /** "type of amount" */
  reason: string;
  text: string;
  /** Above zero: missing from quarantine; below: too many there. */
  balance: number;
}

/** Says which quarantine records of a source are missing, superfluous or wrong. Stops holding new ones at HELD_ROWS. */
export async function explainQuarantine(
  lake: VerifiedLake,
  result: SourceResult,
  options: ExplainOptions,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const name of result.quarantineDiffers) {
    findings.push(...(await explainStage(stageOf(lake, name), result, options)));
  }
  return findings;
}

async function explainStage(lake: LakeStage, result: SourceResult, options: ExplainOptions): Promise<Finding[]> {
  const { stage, reader, definition } = lake;
  const isFirst = stage.name === firstStage(lake).stage.name;
  const source = isFirst ? result.source : result.trusted;
  if (source === undefined) return [];
  const key = quarantineKey(stage.name, source.key);
  const records = new Map<string, HeldRecord>();
  const add = (row: Omit<RejectedRow, "rule" | "encoding"> & { rule: string; encoding: string }, balance: number) => {
    const name = rejectedRowHash(row);
    const record = records.get(name);
    if (record !== undefined) record.balance += balance;
    else if (records.size < HELD_ROWS) {
      const { line, offset, column, rule, row: text } = row;
      records.set(name, { line, offset, reason: column === "" ? rule : `${rule} of ${column}`, text, balance });
    }
  };
  const storedLines = new Set<number>();
  await readStoredRejects(reader, definition.buckets.quarantine, key, (record) => {
    add(record, -1);
    if (storedLines.size < HELD_ROWS) storedLines.add(record.line);
  });
  const acceptedLines = new Set<number>();
  const claim = isFirst
    ? claimOf(result.receipt, result.curateReceipt ?? result.receipt)
    : claimOf(result.curateReceipt);
  await readSourceAgain(lake, source, claim, {
    rejected: (row) => add(row, 1),
    accepted: ({ line }) => {
      if (storedLines.has(line)) acceptedLines.add(line);
    },
  });
  return findingsOf(lake, source.key, key, [...records.values()], acceptedLines, options);
}

interface WrongRecord {
  type: "missing-quarantine-record" | "unexpected-quarantine-record" | "wrongly-rejected-row" | "wrong-rule";
  count: number;
  expected?: HeldRecord;
  stored?: HeldRecord;
}

function findingsOf(
  lake: LakeStage,
  source: string,
  key: string,
  records: HeldRecord[],
  acceptedLines: Set<number>,
  options: ExplainOptions,
): Finding[] {
  const missing = records.filter(({ balance }) => balance > 0);
  const wrong: WrongRecord[] = [];
  for (const stored of records.filter(({ balance }) => balance < 0)) {
    // The right row in the right place, with another reason.
    const expected = missing.find(
      ({ line, offset, text, balance }) =>
        balance > 0 && line === stored.line && offset === stored.offset && text === stored.text,
    );
    if (expected !== undefined) {
      expected.balance -= 1;
      stored.balance += 1;
      wrong.push({ type: "wrong-rule", count: 1, expected, stored });
    }
    if (stored.balance === 0) continue;
    const type = acceptedLines.has(stored.line) ? "wrongly-rejected-row" : "unexpected-quarantine-record";
    wrong.push({ type, count: -stored.balance, stored });
  }
  for (const expected of missing) {
    if (expected.balance > 0) wrong.push({ type: "missing-quarantine-record", count: expected.balance, expected });
  }
  const types = [...new Set(wrong.map(({ type }) => type))];
  return types.map((type) => {
    const group = wrong.filter((each) => each.type === type);
    const count = group.reduce((sum, each) => sum + each.count, 0);
    const { expected, stored } = group[0]!;
    return {
      type,
      stage: lake.stage.name as StageName,
      source,
      bucket: lake.definition.buckets.quarantine,
      key,
      count,
      ...(type === "wrong-rule" ? { expected: expected!.reason, found: stored!.reason } : {}),
      samples: group.slice(0, options.samples).map((each) => sampleOf(each, options)),
      message: sentence(group[0]!, count, key, source),
    };
  });
}

function sampleOf({ expected, stored }: WrongRecord, { values }: ExplainOptions): RowSample {
  return {
    line: expected?.line ?? null,
    storedLine: stored?.line ?? null,
    ...(values && expected !== undefined ? { row: [expected.text] } : {}),
    ...(values && stored !== undefined ? { storedRow: [stored.text] } : {}),
  };
}

function sentence({ type, expected, stored }: WrongRecord, count: number, key: string, source: string): string {
  const others = count > 1 ? " and others" : "";
  switch (type) {
    case "missing-quarantine-record":
      return `${plural(count, "rejected row")} of ${source} not in ${key} (line ${expected!.line}, ${expected!.reason}${others})`;
    case "unexpected-quarantine-record":
      return `${plural(count, "record")} in ${key} that no rejected row of ${source} explains (of line ${stored!.line}${others})`;
    case "wrongly-rejected-row":
      return `${plural(count, "row")} of ${source} in ${key} that should have been accepted (line ${stored!.line}, ${stored!.reason}${others})`;
    case "wrong-rule":
      return `${plural(count, "record")} in ${key} with another reason than the row's: line ${stored!.line}${others} is there for ${stored!.reason}, and breaks ${expected!.reason}`;
  }
}
