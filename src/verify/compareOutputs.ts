import type { ReceiptOutput } from "../contract/receipt.ts";
import type { SourceResult } from "./compareSource.ts";
import { eachOf } from "./concurrent.ts";
import { CSV_FORM, type CuratedForm } from "./curatedForm.ts";
import type { Expectation } from "./expectation.ts";
import { curatedKey, isKeyTooLong, type LakeStage, objectName, plural, quarantineKey } from "./lake.ts";
import { emptyMultiset, sameRows } from "./multiset.ts";
import type { Finding } from "./report.ts";
import type { TrustedObject } from "./stageSource.ts";
import { readStoredRejects, type StoredRows } from "./storedRows.ts";

export type StageName = LakeStage["stage"]["name"];

/** Curated objects of one source that are read at a time. */
const CONCURRENT_PARTITIONS = 4;

const about = (lake: LakeStage, source: string) => ({ stage: lake.stage.name, source });

/** The trusted object beside the rows that the contract accepts. Returns it as a receipt lists it. */
export function compareTrusted(
  lake: LakeStage,
  source: string,
  expectation: Expectation,
  object: TrustedObject | undefined,
  result: SourceResult,
): ReceiptOutput[] {
  if (expectation.refused !== undefined) return [];
  const bucket = lake.stage.targetBucket;
  const place = { ...about(lake, source), bucket, key: source };
  const { trusted } = expectation;
  if (object === undefined) {
    result.findings.push({
      ...place,
      type: "missing-object",
      count: trusted.count,
      message: `The trusted object of ${source} is missing, with ${plural(trusted.count, "row")}`,
    });
    return [];
  }
  result.objects.trusted += 1;
  result.explained.push(objectName(bucket, source));
  result.findings.push(
    ...shapeFindings(place, `The trusted object of ${source}`, source, expectation, object, CSV_FORM),
  );
  result.trustedDiffers = !sameRows(trusted, object.rows);
  const { size, etag, rows } = object;
  return [{ kind: "trusted", bucket, key: source, rows: rows.count, bytes: size, etag }];
}

/** What is wrong with an object of rows, whatever rows it holds. */
function shapeFindings(
  place: Pick<Finding, "stage" | "source" | "bucket" | "key" | "partition">,
  name: string,
  source: string,
  expectation: Expectation,
  object: { columns: string[]; compressed: boolean; unreadable: string | undefined },
  form: CuratedForm,
): Finding[] {
  const findings: Finding[] = [];
  if (form.compressesText && object.compressed !== expectation.compressed) {
    findings.push({
      ...place,
      type: "unreadable-object",
      message: `${name} is ${object.compressed ? "" : "not "}compressed, and ${source} is ${expectation.compressed ? "" : "not"}`,
    });
  }
  if (object.unreadable !== undefined) {
    findings.push({
      ...place,
      type: "unreadable-object",
      message: `${name} is not as the lake writes it: ${object.unreadable}`,
    });
  } else if (!form.hasColumns(object.columns, expectation.outputColumns)) {
    findings.push({
      ...place,
      type: "changed-row",
      count: 1,
      expected: expectation.outputColumns.join(","),
      found: object.columns.join(","),
      message: `${name} has another header than ${source}`,
    });
  }
  return findings;
}

/** Curated objects beside the rows that are due in them. Returns them as a receipt lists them. */
export async function compareCurated(
  lake: LakeStage,
  source: string,
  expectation: Expectation,
  result: SourceResult,
): Promise<ReceiptOutput[]> {
  const { reader, stage, curated } = lake;
  const stored = new Map<string, StoredRows | undefined>();
  await eachOf(expectation.curated.keys(), CONCURRENT_PARTITIONS, async (partition) => {
    stored.set(partition, await curated.read(reader, stage.targetBucket, curatedKey(lake, partition, source)));
  });
  const outputs: ReceiptOutput[] = [];
  for (const [partition, rows] of expectation.curated) {
    const key = curatedKey(lake, partition, source);
    const object = stored.get(partition);
    const place = { ...about(lake, source), bucket: stage.targetBucket, key, partition };
    const count = { objects: object === undefined ? 0 : 1, expected: rows.count, stored: 0, ok: true };
    result.partitions.set(partition, count);
    if (object === undefined) {
      count.ok = false;
      result.findings.push({
        ...place,
        type: "missing-object",
        count: rows.count,
        message: `${key} is missing, with ${plural(rows.count, "row")} of ${source}`,
      });
      result.differing.push(partition);
      continue;
    }
    result.objects.curated += 1;
    result.explained.push(objectName(stage.targetBucket, key));
    result.rows.stored += object.rows.count;
    count.stored = object.rows.count;
    const { size: bytes, etag } = object;
    outputs.push({
      kind: "curated",
      bucket: stage.targetBucket,
      key,
      partition,
      rows: object.rows.count,
      bytes,
      etag,
    });
    const findings = shapeFindings(place, key, source, expectation, object, curated);
    result.findings.push(...findings);
    if (findings.length > 0) count.ok = false;
    if (!sameRows(rows, object.rows)) {
      count.ok = false;
      result.differing.push(partition);
    }
  }
  return outputs;
}

/** The quarantine of one stage beside the rows, or the file, that belong there. */
export async function compareQuarantine(
  lake: LakeStage,
  source: string,
  expectation: Expectation,
  result: SourceResult,
): Promise<{
  output: ReceiptOutput | undefined /** Of the record of the whole file. */;
  fileRule: string | undefined;
}> {
  const { reader, definition, stage } = lake;
  const bucket = definition.buckets.quarantine;
  const key = quarantineKey(stage.name, source);
  const expected = expectation.refused === undefined ? expectation.rejected : emptyMultiset();
  const problems: string[] = [];
  let wholeFile = 0;
  let fileRecord: { rule: string; column: string } | undefined;
  const object = await readStoredRejects(reader, bucket, key, (record) => {
    if (record.line === 0) {
      wholeFile += 1;
      fileRecord = { rule: record.rule, column: record.column };
    }
    if (record.sourceKey !== source) problems.push(`line ${record.line} names the source ${record.sourceKey}`);
    if (record.rule === "" || record.message === "") problems.push(`line ${record.line} has no reason`);
  });
  const place = { ...about(lake, source), bucket, key };
  if (object === undefined) {
    if (expectation.refused === undefined && expected.count === 0) return { output: undefined, fileRule: undefined };
    if (expected.count > 0) result.quarantineDiffers.push(stage.name);
    result.findings.push({
      ...place,
      type: "missing-quarantine-record",
      count: Math.max(1, expected.count),
      message: `${key} is missing, with ${plural(Math.max(1, expected.count), "record")} of ${source}`,
    });
    return { output: undefined, fileRule: undefined };
  }
  result.objects.quarantine += 1;
  result.explained.push(objectName(bucket, key));
  result.rows.quarantined += object.records.count - wholeFile;
  if (object.unreadable !== undefined) {
    result.findings.push({
      ...place,
      type: "unreadable-object",
      message: `${key} is not as the lake writes it: ${object.unreadable}`,
    });
  }
  if (problems.length > 0) {
    result.findings.push({
      ...place,
      type: "unexpected-quarantine-record",
      count: problems.length,
      message: `${key} has ${plural(problems.length, "record")} that cannot be right: ${problems[0]}`,
    });
  }
  if (expectation.refused !== undefined) {
    if (wholeFile !== 1 || object.records.count !== 1) {
      result.findings.push({
        ...place,
        type: wholeFile === 0 ? "missing-quarantine-record" : "unexpected-quarantine-record",
        expected: 1,
        found: object.records.count,
        message: `${source} belongs in quarantine whole (${expectation.refused}), so ${key} should have one record for the whole file, and has ${object.records.count}`,
      });
    } else {
      result.findings.push(...fileReasonFindings(lake, place, expectation, fileRecord!));
    }
  } else if (!sameRows(expected, object.records)) {
    result.quarantineDiffers.push(stage.name);
  }
  const { size, etag, records } = object;
  return {
    output: { kind: "quarantine", bucket, key, rows: records.count, bytes: size, etag },
    fileRule: fileRecord?.rule,
  };
}

/** Whether the one record of a file that is refused whole gives the right reason, where that is no matter of opinion. */
function fileReasonFindings(
  lake: LakeStage,
  place: Pick<Finding, "stage" | "bucket" | "key"> & { source: string },
  { breaches }: Expectation,
  record: { rule: string; column: string },
): Finding[] {
  const isTooLong = lake.stage.name === "curate" && isKeyTooLong(lake, place.source);
  const right = isTooLong ? [{ rule: "key-too-long", column: record.column }] : breaches;
  if (right.length === 0 || right.some(({ rule, column }) => rule === record.rule && column === record.column)) {
    return [];
  }
  const said = ({ rule, column }: { rule: string; column: string }): string =>
    column === "" ? rule : `${rule} of ${column}`;
  return [
    {
      ...place,
      type: "wrong-rule",
      expected: said(right[0]!),
      found: said(record),
      message: `${place.key} refuses ${place.source} for ${said(record)}, but it should be ${said(right[0]!)}`,
    },
  ];
}
