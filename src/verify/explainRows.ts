import type { SourceResult } from "./compareSource.ts";
import { curatedKey, firstStage, type LakeStage, plural, stageOf, type VerifiedLake } from "./lake.ts";
import { hashRow, type RowHash, wordAt } from "./multiset.ts";
import type { Finding, RowSample } from "./report.ts";
import { claimOf, readSourceAgain } from "./stageSource.ts";
import { type RowListener, readStoredRows } from "./storedRows.ts";

/** Rows of one source that are held while they are compared one by one. */
export const HELD_ROWS = 100_000;

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
  /** What makes it the same as another, whatever the partition. */
  name: RowHash;
  cells: string[];
  expected: number;
  stored: number;
  lines: number[];
  storedLines: number[];
}

/** The objects of one layer that hold rows of one source. */
interface Layer {
  lake: LakeStage;
  /** Of its objects: days, or TRUSTED alone. */
  partitions: Set<string>;
  keyOf(partition: string): string;
  hash(cells: string[]): RowHash;
  readStored(partition: string, onRow: RowListener): Promise<unknown>;
  /** How many rows there should be, and are. */
  count(partition: string): { expected: number; stored: number };
}

/** The trusted object of a source is a layer of one part. */
const TRUSTED = "trusted";

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
  const findings: Finding[] = [];
  if (result.trustedDiffers) findings.push(...(await explainLayer(trustedLayer(lake, result), result, [], options)));
  if (result.differing.length > 0 || unexpected.length > 0) {
    findings.push(...(await explainLayer(curatedLayer(lake, result, unexpected), result, unexpected, options)));
  }
  return findings;
}

function trustedLayer(lake: VerifiedLake, result: SourceResult): Layer {
  const { key } = result.source;
  const validate = stageOf(lake, "validate");
  return {
    lake: validate,
    partitions: new Set([TRUSTED]),
    keyOf: () => key,
    hash: hashRow,
    readStored: (_, onRow) => readStoredRows(lake.reader, validate.stage.targetBucket, key, onRow),
    count: () => ({ expected: result.rows.trusted, stored: result.trusted?.rows.count ?? 0 }),
  };
}

function curatedLayer(lake: VerifiedLake, result: SourceResult, unexpected: string[]): Layer {
  const curate = stageOf(lake, "curate");
  const keyOf = (partition: string): string => curatedKey(lake, partition, result.source.key);
  return {
    lake: curate,
    partitions: new Set([...result.differing, ...unexpected]),
    keyOf,
    hash: lake.curated.hash,
    readStored: (partition, onRow) =>
      lake.curated.read(lake.reader, curate.stage.targetBucket, keyOf(partition), onRow),
    count: (partition) => result.partitions.get(partition) ?? { expected: 0, stored: 0 },
  };
}

async function explainLayer(
  layer: Layer,
  result: SourceResult,
  unexpected: string[],
  options: ExplainOptions,
): Promise<Finding[]> {
  let heaps: Set<number> | undefined;
  // Of unexpected objects nobody has counted the rows yet.
  const total =
    unexpected.length > 0
      ? result.rows.accepted + result.rows.stored
      : [...layer.partitions].reduce((sum, partition) => {
          const { expected, stored } = layer.count(partition);
          return sum + expected + stored;
        }, 0);
  if (total > HELD_ROWS) heaps = await differingHeaps(layer, result, Math.ceil((HELD_ROWS * HEAPS) / total));

  const rows = new Map<string, HeldRow>();
  const rejected = await readBothSides(layer, result, (side, partition, name, cells, line) => {
    if (heaps !== undefined && !heaps.has(heapOf(name))) return;
    let row = rows.get(`${partition} ${name}`);
    if (row === undefined) {
      row = { partition, name, cells, expected: 0, stored: 0, lines: [], storedLines: [] };
      rows.set(`${partition} ${name}`, row);
    }
    row[side] += 1;
    const lines = side === "expected" ? row.lines : row.storedLines;
    if (lines.length < 8) lines.push(line);
  });
  return findingsOf(layer, result, rows, rejected, new Set(unexpected), options);
}

const heapOf = (hash: RowHash): number => wordAt(hash, 16) % HEAPS;

type Side = "expected" | "stored";

/** A row of raw that belongs in quarantine. */
interface RejectedPlace {
  line: number;
  /** "type of amount" */
  reason: string;
}

/** Returns the rejected rows of raw that are stored all the same, by their names. */
async function readBothSides(
  layer: Layer,
  result: SourceResult,
  onRow: (side: Side, partition: string, name: RowHash, cells: string[], line: number) => void,
): Promise<Map<string, RejectedPlace>> {
  const { partitions, hash: hashOf } = layer;
  /** Rows that are stored where something is wrong may have their right place elsewhere. */
  const stored = new Set<string>();
  for (const partition of partitions) {
    await layer.readStored(partition, (row, hash) => {
      if (stored.size < HELD_ROWS) stored.add(hash);
      onRow("stored", partition, hash, row.cells, row.line);
    });
  }
  const rejected = new Map<string, RejectedPlace>();
  const claim = claimOf(result.receipt, result.curateReceipt ?? result.receipt);
  await readSourceAgain(firstStage(layer.lake), result.source, claim, {
    accepted: (row, cells, day) => {
      const partition = partitions.has(TRUSTED) ? TRUSTED : day;
      if (partition === undefined) return;
      const hash = hashOf(cells);
      if (partitions.has(partition) || stored.has(hash)) {
        onRow("expected", partition, hash, cells, row.line);
      }
    },
    rejected: ({ line, rule, column }, cells) => {
      if (cells === undefined) return;
      const name = hashOf(cells);
      if (!stored.has(name) || rejected.has(name)) return;
      rejected.set(name, { line, reason: column === "" ? rule : `${rule} of ${column}` });
    },
  });
  return rejected;
}

/** At most `limit` heaps whose rows, with their partitions, are not the same on both sides. */
async function differingHeaps(layer: Layer, result: SourceResult, limit: number): Promise<Set<number>> {
  const sums = new Uint32Array(HEAPS);
  const marks = new Map([...layer.partitions].map((partition, index) => [partition, Math.imul(index + 1, 0x9e3779b1)]));
  await readBothSides(layer, result, (side, partition, hash) => {
    const mark = marks.get(partition);
    if (mark === undefined) return;
    const mixed = Math.imul(wordAt(hash, 0) ^ mark, 0x85ebca6b) ^ wordAt(hash, 4);
    sums[heapOf(hash)]! += side === "expected" ? mixed : -mixed;
  });
  const heaps = [...sums.keys()].filter((heap) => sums[heap] !== 0);
  return new Set(heaps.slice(0, Math.max(1, limit)));
}

interface WrongRow {
  type: "lost-row" | "doubled-row" | "changed-row" | "wrong-partition" | "foreign-row" | "forbidden-row";
  /** Where the row should be, or is if it should be nowhere. */
  partition: string;
  count: number;
  sample: RowSample;
  /** Why the row belongs in quarantine. */
  reason?: string;
}

function findingsOf(
  layer: Layer,
  result: SourceResult,
  rows: Map<string, HeldRow>,
  rejected: Map<string, RejectedPlace>,
  unexpected: Set<string>,
  options: ExplainOptions,
): Finding[] {
  const wrong = [...rows.values()].filter((row) => layer.partitions.has(row.partition) && row.expected !== row.stored);
  const lost = wrong
    .filter((row) => row.expected > row.stored)
    .map((row) => ({ row, left: row.expected - row.stored }));
  const extra = wrong
    .filter((row) => row.stored > row.expected)
    .map((row) => ({ row, left: row.stored - row.expected }));
  const found: WrongRow[] = [];
  const show = (cells: string[]): string[] => cells.map((cell) => Buffer.from(cell, "latin1").toString("utf8"));
  const note = (
    type: WrongRow["type"],
    count: number,
    from: HeldRow | undefined,
    to: HeldRow | undefined,
    place?: RejectedPlace,
  ): void => {
    if (count === 0) return;
    const partition = (from ?? to)!.partition;
    const sample: RowSample = {
      line: from?.lines[0] ?? place?.line ?? null,
      // Of a doubled row, the last place is the one too many.
      storedLine: (type === "doubled-row" ? to?.storedLines.at(-1) : to?.storedLines[0]) ?? null,
    };
    if (to !== undefined && from !== undefined && to.partition !== from.partition) {
      sample.storedPartition = to.partition;
    }
    if (options.values && from !== undefined) sample.row = show(from.cells);
    if (options.values && to !== undefined && to !== from) sample.storedRow = show(to.cells);
    found.push({ type, partition, count, sample, ...(place === undefined ? {} : { reason: place.reason }) });
  };
  const pair = (type: WrongRow["type"], one: (typeof lost)[number], other: (typeof extra)[number]): void => {
    const count = Math.min(one.left, other.left);
    one.left -= count;
    other.left -= count;
    note(type, count, one.row, other.row);
  };

  // The same row, lost in one partition and too many in another.
  const lostByName = groupBy(lost, ({ row }) => row.name);
  for (const other of extra) {
    for (const one of lostByName.get(other.row.name) ?? []) pair("wrong-partition", one, other);
  }
  // More copies than raw has, in the row's own partition or in another.
  const expectedByName = groupBy(
    [...rows.values()].filter((row) => row.expected > 0),
    ({ name }) => name,
  );
  for (const other of extra) {
    const original = expectedByName.get(other.row.name)?.[0];
    if (original === undefined) continue;
    note("doubled-row", other.left, original, other.row);
    other.left = 0;
  }
  for (const other of extra.filter(({ left }) => left > 0)) {
    const place = rejected.get(other.row.name);
    if (place === undefined) continue;
    note("forbidden-row", other.left, undefined, other.row, place);
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
    const { expected, stored } = layer.count(partition);
    const key = layer.keyOf(partition);
    const { lake } = layer;
    return {
      type,
      stage: lake.stage.name,
      source: result.source.key,
      bucket: lake.stage.targetBucket,
      key,
      ...(partition === TRUSTED ? {} : { partition }),
      count,
      expected,
      found: stored,
      samples: group.slice(0, options.samples).map(({ sample }) => sample),
      message: sentence(group[0]!, count, partition === TRUSTED ? `the trusted object ${key}` : key, result.source.key),
    };
  });
}

function sentence({ type, sample, reason }: WrongRow, count: number, name: string, source: string): string {
  const rows = plural(count, "row");
  const at = sample.line === null ? "" : ` (${source} line ${sample.line}${count > 1 ? " and others" : ""})`;
  switch (type) {
    case "lost-row":
      return `${rows} of ${source} missing from ${name}${at}`;
    case "doubled-row":
      return `${rows} too many in ${sample.storedPartition === undefined ? name : `partition ${sample.storedPartition}`}: stored again${at}`;
    case "changed-row":
      return `${rows} stored in ${name} with other text than in raw${at}`;
    case "wrong-partition":
      return `${rows} of ${name} stored under ${sample.storedPartition} instead${at}`;
    case "foreign-row":
      return `${rows} in ${name} that ${source} does not have (line ${sample.storedLine} there)`;
    case "forbidden-row":
      return `${rows} in ${name} that ${count > 1 ? "belong" : "belongs"} in quarantine for ${reason}${at}`;
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
