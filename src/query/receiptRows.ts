import { readFileSync, writeFileSync } from "node:fs";
import type { Receipt } from "../contract/receipt.ts";
import { sqlText } from "../duckdb.ts";

const COLUMNS: Record<string, string> = {
  stage: "VARCHAR",
  source_key: "VARCHAR",
  status: "VARCHAR",
  working: "BOOLEAN",
  bytes: "BIGINT",
  etag: "VARCHAR",
  version_id: "VARCHAR",
  sequencer: "VARCHAR",
  contract_id: "VARCHAR",
  contract_version: "VARCHAR",
  rows_read: "BIGINT",
  rows_accepted: "BIGINT",
  rows_rejected: "BIGINT",
  rows_blank: "BIGINT",
  rejected_by_rule: "JSON",
  outputs: 'STRUCT(kind VARCHAR, bucket VARCHAR, "key" VARCHAR, "partition" VARCHAR, "rows" BIGINT, bytes BIGINT)[]',
  event: "TIMESTAMPTZ",
  started: "TIMESTAMPTZ",
  finished: "TIMESTAMPTZ",
  duration_ms: "BIGINT",
  request_id: "VARCHAR",
};

function flat(receipt: Receipt): Record<string, unknown> {
  const { source, contract, rows, times } = receipt;
  return {
    stage: receipt.stage,
    source_key: source.key,
    status: receipt.status,
    working: (receipt.writing?.length ?? 0) > 0,
    bytes: source.size,
    etag: source.etag,
    version_id: source.versionId,
    sequencer: source.sequencer,
    contract_id: contract?.id ?? null,
    contract_version: contract?.version ?? null,
    rows_read: rows.read,
    rows_accepted: rows.accepted,
    rows_rejected: rows.rejected,
    rows_blank: rows.blank,
    rejected_by_rule: rows.rejectedByRule,
    outputs: receipt.outputs,
    event: times.event,
    started: times.started,
    finished: times.finished,
    duration_ms: times.durationMs,
    request_id: receipt.requestId,
  };
}

/**
 * A SELECT over receipts: one row per file and stage.
 *
 * files   the receipts as fetched; one that is no JSON is left out
 * draft   a file that this writes, which is read by the SELECT
 */
export function receiptScan(files: string[], draft: string): string {
  const lines = files.flatMap((file) => {
    try {
      return [JSON.stringify(flat(JSON.parse(readFileSync(file, "utf8")) as Receipt))];
    } catch {
      return [];
    }
  });
  writeFileSync(draft, lines.map((line) => `${line}\n`).join(""));
  const columns = Object.entries(COLUMNS).map(([name, type]) => `${name}: ${sqlText(type)}`);
  return `SELECT * FROM read_json(${sqlText(draft)}, format = 'newline_delimited', columns = {${columns.join(", ")}}, maximum_object_size = 67108864)`;
}
