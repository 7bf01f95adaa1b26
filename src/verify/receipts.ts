import type { Receipt, ReceiptOutput, ReceiptWarning } from "../contract/receipt.ts";
import type { Warning } from "./contract/contractJudge.ts";
import type { Expectation } from "./expectation.ts";
import { type LakeStage, receiptKey } from "./lake.ts";
import type { StoredObject } from "./lakeReader.ts";
import type { Finding } from "./report.ts";

/**
 * Holds a receipt against what was recomputed from its source and against what is stored.
 *
 * source     of the stage
 * outputs    the objects that exist of those that should
 * fileRule   of the quarantine record of a file that is refused whole
 */
export function checkReceipt(
  lake: LakeStage,
  source: StoredObject,
  receipt: Receipt,
  expectation: Expectation,
  outputs: ReceiptOutput[],
  fileRule: string | undefined,
): Finding[] {
  const { definition, stage } = lake;
  const findings: Finding[] = [];
  const place = {
    stage: stage.name,
    source: source.key,
    bucket: definition.buckets.control,
    key: receiptKey(stage.name, source.key),
  };
  const claim = (what: string, claimed: string | number | null | undefined, real: string | number | null): void => {
    if ((claimed ?? null) === real) return;
    findings.push({
      ...place,
      type: "receipt-false",
      expected: real,
      found: claimed ?? null,
      message: `The receipt of ${source.key} says ${what} ${JSON.stringify(claimed)}, but it is ${JSON.stringify(real)}`,
    });
  };

  claim("the lake is", receipt.lake, definition.name);
  claim("the stage is", receipt.stage, stage.name);
  claim("the bucket is", receipt.source.bucket, stage.sourceBucket);
  claim("the key is", receipt.source.key, source.key);
  claim("the size is", receipt.source.size, source.size);
  checkStamps(receipt, (what, claimed, rule) => {
    findings.push({
      ...place,
      type: "receipt-false",
      found: claimed,
      message: `The receipt of ${source.key} says ${what} ${JSON.stringify(claimed)}, which is not ${rule}`,
    });
  });
  const status = expectation.refused === undefined ? "done" : "rejected";
  if (receipt.status !== status) {
    const reason = expectation.refused === undefined ? "it can be read as a table" : expectation.refused;
    findings.push({
      ...place,
      type: "receipt-false",
      expected: status,
      found: receipt.status,
      message: `The receipt of ${source.key} has the status ${receipt.status}, but it should be ${status}: ${reason}`,
    });
    return findings;
  }
  for (const doubt of expectation.doubts) {
    findings.push({
      ...place,
      type: "receipt-false",
      message: `The receipt of ${source.key} says how the file was read, and the file says otherwise: ${doubt}`,
    });
  }
  if (expectation.refused !== undefined) {
    // Its rows are not known: it counts as a file.
    for (const count of ["read", "accepted", "rejected", "blank"] as const) {
      claim(
        `the number of ${count === "blank" ? "blank lines" : `rows ${count}`} of a file refused whole is`,
        receipt.rows[count],
        0,
      );
    }
    if (fileRule !== undefined) {
      claim("its rule is", countsOf(receipt.rows.rejectedByRule), countsOf({ [fileRule]: 1 }));
    }
    if (receipt.bytes.text !== source.size || receipt.bytes.rejected !== source.size) {
      findings.push({
        ...place,
        type: "byte-account-false",
        expected: source.size,
        found: receipt.bytes.rejected,
        message: `${source.key} is in quarantine whole, and its byte account has ${receipt.bytes.rejected} of ${source.size} bytes rejected`,
      });
    }
  } else {
    for (const count of ["read", "accepted", "rejected", "blank"] as const) {
      claim(
        `the number of ${count === "blank" ? "blank lines" : `rows ${count}`} is`,
        receipt.rows[count],
        expectation.rows[count],
      );
    }
    claim(
      "the rejected rows by rule are",
      countsOf(receipt.rows.rejectedByRule),
      countsOf(expectation.rows.rejectedByRule),
    );
    claim("the warnings are", warningsOf(receipt.warnings), warningsOf(expectation.warnings));
    claim("the columns are", receipt.dialect?.columns.join(), expectation.columns.join());
    // Without rows there is none to find.
    if (expectation.partitionColumn !== undefined) {
      claim("the partition column is", receipt.partition?.column, expectation.partitionColumn);
    }
    if (receipt.partition != null) {
      claim("the partition is named", receipt.partition.as, definition.configuration.partition.as);
      claim("the time zone is", receipt.partition.timezone, definition.configuration.partition.timezone);
    }
    for (const part of ["text", "header", "accepted", "rejected", "blank", "preamble"] as const) {
      if (receipt.bytes[part] === expectation.bytes[part]) continue;
      findings.push({
        ...place,
        type: "byte-account-false",
        expected: expectation.bytes[part],
        found: receipt.bytes[part],
        message: `The byte account of ${source.key} has ${receipt.bytes[part]} for ${part}, but it is ${expectation.bytes[part]}`,
      });
    }
  }
  const { text, header, accepted, rejected, blank, preamble } = receipt.bytes;
  if (header + accepted + rejected + blank + preamble !== text) {
    findings.push({
      ...place,
      type: "byte-account-false",
      expected: text,
      found: header + accepted + rejected + blank + preamble,
      message: `The byte account of ${source.key} does not add up to ${text}`,
    });
  }
  findings.push(...checkOutputs(place, source.key, receipt.outputs, outputs));
  return findings;
}

/** "rule column 2, rule column 1", in the contract's order; shares to nine digits. */
const warningsOf = (warnings: (ReceiptWarning | Warning)[] | undefined): string =>
  (warnings ?? []).map(({ rule, column, rows }) => `${rule} ${column} ${Number(rows.toPrecision(9))}`).join(", ");

/** "rule 2, rule 1", in the order of the rules. */
const countsOf = (byRule: Record<string, number> | undefined): string =>
  Object.entries(byRule ?? {})
    .map(([rule, count]) => `${rule} ${count}`)
    .sort()
    .join(", ");

/** What only the run knew must at least look like it. */
function checkStamps(receipt: Receipt, say: (what: string, claimed: string | null, rule: string) => void): void {
  const { sequencer } = receipt.source;
  if (sequencer !== null && !/^[0-9a-f]{1,64}$/i.test(String(sequencer))) {
    say("the sequencer is", sequencer ?? null, "what S3 gives: hex digits");
  }
  if (!/^[0-9a-f]{64}$/.test(String(receipt.code))) {
    say("the code is", receipt.code ?? null, "a SHA-256 in hex");
  }
}

/** The outputs that a receipt lists beside those that are stored: each once, with the same rows, bytes and ETag. */
function checkOutputs(
  place: { source: string; bucket: string; key: string },
  source: string,
  listed: ReceiptOutput[],
  stored: ReceiptOutput[],
): Finding[] {
  const findings: Finding[] = [];
  const say = (expected: string | number | null, found: string | number | null, message: string): void => {
    findings.push({ ...place, type: "receipt-false", expected, found, message });
  };
  const byName = new Map(stored.map((output) => [`${output.bucket}/${output.key}`, output]));
  const seen = new Set<string>();
  for (const output of listed) {
    const name = `${output.bucket}/${output.key}`;
    const real = byName.get(name);
    if (seen.has(name)) say(1, 2, `The receipt of ${source} lists ${output.key} twice`);
    seen.add(name);
    if (real === undefined) {
      say(
        null,
        output.key,
        `The receipt of ${source} lists ${output.key}, which does not belong to it or is not stored`,
      );
      continue;
    }
    for (const field of ["kind", "partition", "rows", "bytes", "etag"] as const) {
      if (output[field] === real[field]) continue;
      say(
        real[field] ?? null,
        output[field] ?? null,
        `The receipt of ${source} says that ${output.key} has ${field} ${output[field]}, but it has ${real[field]}`,
      );
    }
  }
  for (const output of stored) {
    if (seen.has(`${output.bucket}/${output.key}`)) continue;
    say(output.key, null, `The receipt of ${source} does not list ${output.key}`);
  }
  return findings;
}
