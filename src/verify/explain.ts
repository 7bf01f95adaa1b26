import type { SourceResult } from "./compareSource.ts";
import { expectFrom, rejectedRowHash } from "./expectation.ts";
import { curatedKey, plural, quarantineKey, type VerifiedLake } from "./lake.ts";
import type { Finding, RowSample } from "./report.ts";
import { readStoredRejects, readStoredRows } from "./storedRows.ts";

/** Rows of one source that are held while they are compared one by one. */
const HELD_ROWS = 100_000;

/** Rows are dealt into this many heaps, and only heaps that differ are compared row by row. */
const HEAPS = 4_096;

export interface ExplainOptions {
  /** Rows shown per finding. */
  samples: number;
  /** Show the cells, not only the line numbers. */
  values: boolean;
}

/** One row on one side, or on both. Lines are the first few. */
interface HeldRow {
  partition: string;
  cells: string[];
  expected: number;
  stored: number;
  lines: number[];
  storedLines: number[];
}

/**
 * Says which rows are wrong, once it is known that some are: reads the raw object and its outputs again and compares
 * row by row. Memory is bounded by HELD_ROWS; of a larger object only a part of the wrong rows is looked at, and the
 * counts are then those of that part.
 *
 * unexpected   partitions in which there is an object of this source that should not be there
 */
export async function explainRows(
  lake: VerifiedLake,
  result: SourceResult,
  unexpected: string[],
  options: ExplainOptions,
): Promise<Finding[]> {
  const partitions = new Set([...result.differing, ...unexpected]);
  if (partitions.size === 0) return [];
  let heaps: Set<number> | undefined;
  // Of unexpected objects nobody has counted the rows yet.
  const total =
    unexpected.length > 0
      ? result.rows.accepted + result.rows.stored
      : result.differing.reduce((sum, partition) => {
          const rows = result.partitions.get(partition);
          return sum + (rows?.expected ?? 0) + (rows?.stored ?? 0);
        }, 0);
  if (total > HELD_ROWS) heaps = await differingHeaps(lake, result, partitions, Math.ceil((HELD_ROWS * HEAPS) / total));

  const rows = new Map<string, HeldRow>();
  await readBothSides(lake, result, partitions, (side, partition, hash, cells, line) => {
    if (heaps !== undefined && !heaps.has(heapOf(hash))) return;
    const name = `${partition} ${hash.toString("latin1")}`;
    let row = rows.get(name);
    if (row === undefined) {
      row = { partition, cells, expected: 0, stored: 0, lines: [], storedLines: [] };
      rows.set(name, row);
    }
    row[side] += 1;
    const lines = side === "expected" ? row.lines : row.storedLines;
    if (lines.length < 8) lines.push(line);
  });
  return findingsOf(lake, result, rows, new Set(unexpected), options);
}

const heapOf = (hash: Buffer): number => hash.readUInt32LE(16) % HEAPS;

type Side = "expected" | "stored";

async function readBothSides(
  lake: VerifiedLake,
  result: SourceResult,
  partitions: Set<string>,
  onRow: (side: Side, partition: string, hash: Buffer, cells: string[], line: number) => void,
): Promise<void> {
  const { reader, definition, stage } = lake;
  const { source, receipt } = result;
  const claim =
    receipt === undefined ? undefined : { dialect: receipt.dialect, partitionColumn: receipt.partition?.column };
  /** Rows that are stored where something is wrong may have their right place elsewhere. */
  const stored = new Set<string>();
  for (const partition of partitions) {
    const key = curatedKey(definition.configuration.partition.as, partition, source.key);
    await readStoredRows(reader, stage.targetBucket, key, (row, hash) => {
      if (stored.size < HELD_ROWS) stored.add(hash.toString("latin1"));
      onRow("stored", partition, hash, row.cells, row.line);
    });
  }
  await reader.read(
    stage.sourceBucket,
    source.key,
    (object) =>
      expectFrom(object, definition.configuration, lake.zone, claim, {
        accepted: (row, partition, hash) => {
          if (partitions.has(partition) || stored.has(hash.toString("latin1"))) {
            onRow("expected", partition, hash, row.cells, row.line);
          }
        },
      }),
    { ifMatch: source.etag },
  );
}

/** At most `limit` heaps whose rows, with their partitions, are not the same on both sides. */
async function differingHeaps(
  lake: VerifiedLake,
  result: SourceResult,
  partitions: Set<string>,
  limit: number,
): Promise<Set<number>> {
  const sums = new Uint32Array(HEAPS);
  const marks = new Map([...partitions].map((partition, index) => [partition, Math.imul(index + 1, 0x9e3779b1)]));
  await readBothSides(lake, result, partitions, (side, partition, hash) => {
    const mark = marks.get(partition);
    if (mark === undefined) return;
    const mixed = Math.imul(hash.readUInt32LE(0) ^ mark, 0x85ebca6b) ^ hash.readUInt32LE(4);
    sums[heapOf(hash)]! += side === "expected" ? mixed : -mixed;
  });
  const heaps = [...sums.keys()].filter((heap) => sums[heap] !== 0);
  return new Set(heaps.slice(0, Math.max(1, limit)));
}

interface WrongRow {
  type: "lost-row" | "doubled-row" | "changed-row" | "wrong-partition" | "foreign-row";
  /** Where the row should be, or is if it should be nowhere. */
  partition: string;
  count: number;
  sample: RowSample;
}

function findingsOf(
  lake: VerifiedLake,
  result: SourceResult,
  rows: Map<string, HeldRow>,
  unexpected: Set<string>,
  options: ExplainOptions,
): Finding[] {
  const looked = new Set([...result.differing, ...unexpected]);
  const wrong = [...rows.values()].filter((row) => looked.has(row.partition) && row.expected !== row.stored);
  const lost = wrong
    .filter((row) => row.expected > row.stored)
    .map((row) => ({ row, left: row.expected - row.stored }));
  const extra = wrong
    .filter((row) => row.stored > row.expected)
    .map((row) => ({ row, left: row.stored - row.expected }));
  const found: WrongRow[] = [];
  const show = (cells: string[]): string[] => cells.map((cell) => Buffer.from(cell, "latin1").toString("utf8"));
  const note = (type: WrongRow["type"], count: number, from: HeldRow | undefined, to: HeldRow | undefined): void => {
    if (count === 0) return;
    const partition = (from ?? to)!.partition;
    const sample: RowSample = {
      line: from?.lines[0] ?? null,
      // Of a doubled row, the last place is the one too many.
      storedLine: (type === "doubled-row" ? to?.storedLines.at(-1) : to?.storedLines[0]) ?? null,
    };
    if (to !== undefined && from !== undefined && to.partition !== from.partition) {
      sample.storedPartition = to.partition;
    }
    if (options.values && from !== undefined) sample.row = show(from.cells);
    if (options.values && to !== undefined && to !== from) sample.storedRow = show(to.cells);
    found.push({ type, partition, count, sample });
  };
  const pair = (type: WrongRow["type"], one: (typeof lost)[number], other: (typeof extra)[number]): void => {
    const count = Math.min(one.left, other.left);
    one.left -= count;
    other.left -= count;
    note(type, count, one.row, other.row);
  };

  // The same row, lost in one partition and too many in another.
  const lostByText = groupBy(lost, ({ row }) => row.cells.join("\u0000"));
  for (const other of extra) {
    for (const one of lostByText.get(other.row.cells.join("\u0000")) ?? []) pair("wrong-partition", one, other);
  }
  // More copies than raw has, in the row's own partition or in another.
  const expectedByText = groupBy(
    [...rows.values()].filter((row) => row.expected > 0),
    (row) => row.cells.join("\u0000"),
  );
  for (const other of extra) {
    const original = expectedByText.get(other.row.cells.join("\u0000"))?.[0];
    if (original === undefined) continue;
    note("doubled-row", other.left, original, other.row);
    other.left = 0;
  }
  // The same first cell: an id, in most files.
  const lostById = groupBy(lost, ({ row }) => `${row.partition} ${row.cells[0]}`);
  for (const other of extra) {
    for (const one of lostById.get(`${other.row.partition} ${other.row.cells[0]}`) ?? [])
      pair("changed-row", one, other);
  }
  // Most of the cells are the same. Rows are few by now, unless the whole object is another one.
  const similar = lost.filter(({ left }) => left > 0).slice(0, 200);
  for (const other of extra.filter(({ left }) => left > 0).slice(0, 200)) {
    const one = similar.find(
      ({ row, left }) => left > 0 && row.partition === other.row.partition && mostlySame(row.cells, other.row.cells),
    );
    if (one !== undefined) pair("changed-row", one, other);
  }
  for (const { row, left } of lost) note("lost-row", left, row, undefined);
  for (const { row, left } of extra) if (!unexpected.has(row.partition)) note("foreign-row", left, undefined, row);

  return [...groupBy(found, ({ type, partition }) => `${partition} ${type}`).values()].map((group) => {
    const { type, partition } = group[0]!;
    const count = group.reduce((sum, row) => sum + row.count, 0);
    const rowsOfPartition = result.partitions.get(partition);
    const key = curatedKey(lake.definition.configuration.partition.as, partition, result.source.key);
    return {
      type,
      stage: lake.stage.name,
      source: result.source.key,
      bucket: lake.stage.targetBucket,
      key,
      partition,
      count,
      expected: rowsOfPartition?.expected ?? 0,
      found: rowsOfPartition?.stored ?? 0,
      samples: group.slice(0, options.samples).map(({ sample }) => sample),
      message: sentence(type, count, key, result.source.key, group[0]!.sample),
    };
  });
}

function sentence(type: WrongRow["type"], count: number, key: string, source: string, sample: RowSample): string {
  const rows = plural(count, "row");
  const at = sample.line === null ? "" : ` (${source} line ${sample.line}${count > 1 ? " and others" : ""})`;
  switch (type) {
    case "lost-row":
      return `${rows} of ${source} missing from ${key}${at}`;
    case "doubled-row":
      return `${rows} too many in ${sample.storedPartition === undefined ? key : `partition ${sample.storedPartition}`}: stored again${at}`;
    case "changed-row":
      return `${rows} stored in ${key} with other text than in raw${at}`;
    case "wrong-partition":
      return `${rows} of ${key} stored under ${sample.storedPartition} instead${at}`;
    case "foreign-row":
      return `${rows} in ${key} that ${source} does not have (line ${sample.storedLine} there)`;
  }
}

function mostlySame(left: string[], right: string[]): boolean {
  if (left.length !== right.length) return false;
  return left.filter((cell, index) => cell === right[index]).length * 2 > left.length;
}

function groupBy<T>(items: T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = nameOf(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}

/** Says which quarantine records are missing or superfluous. Stops holding new ones at HELD_ROWS. */
export async function explainQuarantine(
  lake: VerifiedLake,
  result: SourceResult,
  options: ExplainOptions,
): Promise<Finding[]> {
  if (!result.quarantineDiffers) return [];
  const { reader, definition, stage } = lake;
  const { source, receipt } = result;
  const key = quarantineKey(stage.name, source.key);
  const records = new Map<string, { line: number; text: string | undefined; balance: number }>();
  const add = (hash: Buffer, line: number, text: string | undefined, balance: number): void => {
    const name = hash.toString("latin1");
    const record = records.get(name);
    if (record !== undefined) record.balance += balance;
    else if (records.size < HELD_ROWS) records.set(name, { line, text, balance });
  };
  const claim =
    receipt === undefined ? undefined : { dialect: receipt.dialect, partitionColumn: receipt.partition?.column };
  await reader.read(
    stage.sourceBucket,
    source.key,
    (object) =>
      expectFrom(object, definition.configuration, lake.zone, claim, {
        rejected: (row) => add(rejectedRowHash(row), row.line, row.row, 1),
      }),
    { ifMatch: source.etag },
  );
  await readStoredRejects(reader, definition.buckets.quarantine, key, (record) => {
    add(rejectedRowHash(record), record.line, record.row, -1);
  });

  const place = { stage: stage.name, source: source.key, bucket: definition.buckets.quarantine, key };
  const all = [...records.values()];
  const missing = all.filter(({ balance }) => balance > 0);
  const unexpected = all.filter(({ balance }) => balance < 0);
  const samplesOf = (list: typeof all, side: "line" | "storedLine"): RowSample[] =>
    list.slice(0, options.samples).map(({ line, text }) => ({
      line: side === "line" ? line : null,
      storedLine: side === "storedLine" ? line : null,
      ...(options.values && text !== undefined ? { [side === "line" ? "row" : "storedRow"]: [text] } : {}),
    }));
  const findings: Finding[] = [];
  if (missing.length > 0) {
    const count = missing.reduce((sum, { balance }) => sum + balance, 0);
    findings.push({
      ...place,
      type: "missing-quarantine-record",
      count,
      samples: samplesOf(missing, "line"),
      message: `${plural(count, "rejected row")} of ${source.key} not in ${key} (line ${missing[0]!.line}${count > 1 ? " and others" : ""})`,
    });
  }
  if (unexpected.length > 0) {
    const count = -unexpected.reduce((sum, { balance }) => sum + balance, 0);
    findings.push({
      ...place,
      type: "unexpected-quarantine-record",
      count,
      samples: samplesOf(unexpected, "storedLine"),
      message: `${plural(count, "record")} in ${key} that no rejected row of ${source.key} explains (of line ${unexpected[0]!.line}${count > 1 ? " and others" : ""})`,
    });
  }
  return findings;
}
