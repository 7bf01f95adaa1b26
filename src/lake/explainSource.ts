import type { S3Client } from "@aws-sdk/client-s3";
import type { Clients } from "../backends/clients.ts";
import { curatedKey, quarantineKey } from "../contract/derivedKeys.ts";
import { type ListedObject, needsRun } from "../contract/needsRun.ts";
import type { Receipt } from "../contract/receipt.ts";
import { isAwsError, MinilakeError } from "../errors.ts";
import { CSV_FORM, type CuratedForm } from "../verify/curatedForm.ts";
import { dayZone } from "../verify/days.ts";
import { expectFrom } from "../verify/expectation.ts";
import type { LakeStage } from "../verify/lake.ts";
import { LakeReader } from "../verify/lakeReader.ts";
import { parquetForm } from "../verify/parquetForm.ts";
import type { SourceRow } from "../verify/sourceRows.ts";
import { claimOf, taskOf } from "../verify/stageSource.ts";
import type { LakeDefinition, StageDefinition } from "./definition.ts";
import { type RejectRecord, readRejectRecords } from "./quarantine.ts";
import { getReceipt, isSettled } from "./receipts.ts";
import { DO_AGAIN, findObject, onDeleteOf } from "./replay.ts";

/** What became of a raw object, stage by stage. */
export interface SourceExplanation {
  key: string;
  bucket: string;
  /** As it is now; undefined when it was deleted. */
  object: ListedObject | undefined;
  stages: StageExplanation[];
}

export interface StageExplanation {
  stage: StageDefinition;
  receipt: Receipt | undefined;
  /** The receipt speaks of the source as it is now. */
  upToDate: boolean;
  /** Of a file that the stage refused whole: why. */
  refusal: RejectRecord | undefined;
}

/** Where a row of a raw object went. */
export interface RowExplanation {
  line: number;
  /** The physical lines of the row, which quoted cells may make several. */
  lines: { first: number; last: number };
  /** As it is in the file. */
  text: string;
  fate: /** It is no row of data. */
    | { is: "preamble" | "header" | "blank" }
    /** The file as a whole is in quarantine; see the stage's refusal. */
    | { is: "refused"; stage: string }
    | { is: "rejected"; stage: string; record: RejectRecord | undefined; place: Place }
    | { is: "stored"; day: string; place: Place; copies: number }
    /** It should be there, and is not. */
    | { is: "missing"; stage: string; place: Omit<Place, "line"> }
    /** The stage has not got to it yet. */
    | { is: "waiting"; stage: string };
  /** Of a lake with a contract, for a row that `validate` accepted. */
  trusted: Place | undefined;
}

export interface Place {
  bucket: string;
  key: string;
  /** In the object, 1-based, the header included; of Parquet the number of the row + 1. */
  line: number;
}

export interface ExplainOptions {
  signal?: AbortSignal | undefined;
  /** Bytes of the raw object read so far. */
  onBytes?: ((bytes: number) => void) | undefined;
}

/** Throws MinilakeError Usage for a key that never was, NoLake without buckets. */
export async function explainSource(
  clients: Clients,
  definition: LakeDefinition,
  key: string,
): Promise<SourceExplanation> {
  const s3 = await clients.s3();
  const stages: StageExplanation[] = [];
  const bucket = definition.stages[0]!.sourceBucket;
  const object = await findObject(s3, bucket, key);
  for (const stage of definition.stages) {
    const source = stage.sourceBucket === bucket ? object : await findObject(s3, stage.sourceBucket, key);
    const receipt = await getReceipt(s3, definition, stage.name, key).catch((error: unknown) => {
      if (!isAwsError(error, "NoSuchBucket")) throw error;
      throw new MinilakeError("NoLake", `There is no lake "${definition.name}" here: a bucket of it is not there.`, {
        hint: "Make it: minilake up",
        cause: error,
      });
    });
    const due = needsRun(source, receipt, onDeleteOf(definition, stage)) || receipt?.code === DO_AGAIN;
    const upToDate = receipt !== undefined && isSettled(receipt) && !due;
    const refusal = receipt?.status === "rejected" ? await findRecord(s3, definition, stage, key) : undefined;
    stages.push({ stage, receipt, upToDate, refusal });
  }
  if (object === undefined && stages.every(({ receipt }) => receipt === undefined)) {
    throw new MinilakeError("Usage", `There is no object s3://${bucket}/${key}, and never was one.`, {
      hint: 'The keys there are: minilake query "select distinct source_key from receipts"',
    });
  }
  return { key, bucket, object, stages };
}

/** The record of a line, or the first one. */
async function findRecord(
  s3: S3Client,
  definition: LakeDefinition,
  stage: StageDefinition,
  key: string,
  line?: number,
): Promise<RejectRecord | undefined> {
  try {
    for await (const record of readRejectRecords(s3, definition.buckets.quarantine, quarantineKey(stage.name, key))) {
      if (line === undefined || Number(record.line) === line) return record;
    }
  } catch (error) {
    if (!isAwsError(error, "NoSuchKey")) throw error;
  }
  return undefined;
}

/** What reading the raw object tells of a line. */
interface Found {
  row: SourceRow;
  first: number;
  last: number;
  judged:
    | undefined
    | { accepted: false }
    /** ordinal, ordinalInDay: accepted rows before it, in all and of its day */
    | { accepted: true; cells: string[]; day: string | undefined; ordinal: number; ordinalInDay: number };
}

/**
 * Finds the row of a line by reading the raw object with the parser and the judgement of `verify`, which are not the functions' own,
 * and then looks where it must be stored.
 * Throws MinilakeError Usage for a line behind the last one.
 */
export async function explainRow(
  clients: Clients,
  definition: LakeDefinition,
  source: SourceExplanation,
  line: number,
  options: ExplainOptions = {},
): Promise<RowExplanation> {
  const s3 = await clients.s3();
  const { configuration } = definition;
  const reader = new LakeReader(s3, options.signal);
  const form = configuration.format === "parquet" ? parquetForm(configuration.contract) : CSV_FORM;
  const first = source.stages[0]!;
  if (first.upToDate && first.receipt?.status === "rejected") {
    // Of a file that cannot be read there are no rows.
    const fate: RowExplanation["fate"] = { is: "refused", stage: first.stage.name };
    return { line, lines: { first: line, last: line }, text: "", fate, trusted: undefined };
  }
  const lake: LakeStage = {
    reader,
    definition,
    stages: definition.stages,
    rawBucket: source.bucket,
    zone: dayZone(configuration.partition.timezone),
    curated: form,
    onRawBytes: () => {},
    keys: undefined,
    stage: definition.stages[0]!,
  };
  try {
    const { found, lastLine, firstLine } = await readLine(lake, source, line, options);
    if (found === undefined && line < firstLine) {
      const fate: RowExplanation["fate"] = { is: "preamble" };
      return { line, lines: { first: line, last: line }, text: "", fate, trusted: undefined };
    }
    if (found === undefined) {
      throw new MinilakeError("Usage", `${source.key} has no line ${line}: its last one is ${lastLine}.`, {
        hint: `About the file as a whole: minilake explain ${source.key}`,
      });
    }
    const explanation: RowExplanation = {
      line,
      lines: { first: found.first, last: found.last },
      text: found.row.text.toString("utf8"),
      fate: { is: "waiting", stage: first.stage.name },
      trusted: undefined,
    };
    explanation.fate = await fateOf({ s3, definition, source, reader, form }, found, explanation);
    return explanation;
  } finally {
    form.close();
  }
}

async function readLine(
  lake: LakeStage,
  source: SourceExplanation,
  line: number,
  { onBytes }: ExplainOptions,
): Promise<{ found: Found | undefined; firstLine: number; lastLine: number }> {
  const claim = claimOf(source.stages[0]!.receipt, source.stages.at(-1)!.receipt);
  // Read again from its start when the connection breaks: everything that is counted starts anew.
  const read = await lake.reader.read(source.bucket, source.key, async (object) => {
    const seen: { found: Found | undefined; firstLine: number; lastLine: number } = {
      found: undefined,
      firstLine: 0,
      lastLine: 0,
    };
    let accepted = 0;
    const perDay = new Map<string, number>();
    await expectFrom(counted(object.bytes, onBytes), taskOf(lake), claim, {
      row(row) {
        const last = row.line + lineEnds(row.text);
        seen.firstLine ||= row.line;
        seen.lastLine = last;
        if (row.line <= line && line <= last) seen.found = { row, first: row.line, last, judged: undefined };
      },
      accepted(row, cells, day) {
        const inDay = day === undefined ? 0 : (perDay.get(day) ?? 0);
        if (seen.found?.first === row.line) {
          seen.found.judged = { accepted: true, cells, day, ordinal: accepted, ordinalInDay: inDay };
        }
        accepted++;
        if (day !== undefined) perDay.set(day, inDay + 1);
      },
      rejected(_record, _cells, row) {
        if (seen.found?.first === row.line) seen.found.judged = { accepted: false };
      },
    });
    return seen;
  });
  if (read === undefined) {
    throw new MinilakeError("Usage", `${source.key} was deleted: its lines cannot be read any more.`, {
      hint: `What is left of it: minilake explain ${source.key}`,
    });
  }
  return read;
}

interface Looking {
  s3: S3Client;
  definition: LakeDefinition;
  source: SourceExplanation;
  reader: LakeReader;
  form: CuratedForm;
}

/** Fills in `trusted` on its way. */
async function fateOf(
  { s3, definition, source, reader, form }: Looking,
  { judged, first, row }: Found,
  explanation: RowExplanation,
): Promise<RowExplanation["fate"]> {
  const [before, last] = [source.stages[0]!, source.stages.at(-1)!];
  const rejectedBy = async ({ stage }: StageExplanation, at: number): Promise<RowExplanation["fate"]> => ({
    is: "rejected",
    stage: stage.name,
    record: await findRecord(s3, definition, stage, source.key, at),
    place: { bucket: definition.buckets.quarantine, key: quarantineKey(stage.name, source.key), line: at },
  });
  if (!before.upToDate) return { is: "waiting", stage: before.stage.name };
  if (before.receipt?.status === "rejected") return { is: "refused", stage: before.stage.name };
  if (judged === undefined) return { is: row.text.length === 0 ? "blank" : "header" };
  if (!judged.accepted) return rejectedBy(before, first);
  const { cells, day, ordinal, ordinalInDay } = judged;
  if (last !== before) {
    const place = { bucket: before.stage.targetBucket, key: source.key };
    const stored = await findStored(CSV_FORM, reader, place, ordinal, cells);
    if (stored === undefined) return { is: "missing", stage: before.stage.name, place };
    explanation.trusted = { ...place, line: stored.line };
    if (!last.upToDate) return { is: "waiting", stage: last.stage.name };
    if (last.receipt?.status === "rejected") return { is: "refused", stage: last.stage.name };
    if (day === undefined) return rejectedBy(last, stored.line);
  }
  if (day === undefined) return rejectedBy(last, first);
  const { partition, format } = definition.configuration;
  const place = { bucket: last.stage.targetBucket, key: curatedKey(partition.as, day, source.key, format) };
  const stored = await findStored(form, reader, place, ordinalInDay, cells);
  if (stored === undefined) return { is: "missing", stage: last.stage.name, place };
  return { is: "stored", day, place: { ...place, line: stored.line }, copies: stored.copies };
}

/** The line of the row with these cells: the one of its turn, or, when rows were moved about, the first that is the same. */
async function findStored(
  form: CuratedForm,
  reader: LakeReader,
  { bucket, key }: { bucket: string; key: string },
  ordinal: number,
  cells: string[],
): Promise<{ line: number; copies: number } | undefined> {
  const wanted = form.hash(cells);
  let row = 0;
  let copies = 0;
  let atTurn: number | undefined;
  let anywhere: number | undefined;
  await form.read(reader, bucket, key, (stored, hash) => {
    if (hash === wanted) {
      copies++;
      if (row === ordinal) atTurn = stored.line;
      anywhere ??= stored.line;
    }
    row++;
  });
  const line = atTurn ?? anywhere;
  return line === undefined ? undefined : { line, copies };
}

/** "\n", "\r\n" and "\r" inside of a row are one each. */
function lineEnds(text: Buffer): number {
  return text.toString("latin1").match(/\r\n|\n|\r/g)?.length ?? 0;
}

async function* counted(
  chunks: AsyncIterable<Buffer>,
  onBytes: ((bytes: number) => void) | undefined,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    onBytes?.(bytes);
    yield chunk;
  }
}
