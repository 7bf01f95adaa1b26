import type { ContractRule } from "../contract/compiledContract.ts";
import type { Receipt } from "../contract/receipt.ts";
import { type Expectation, refusedUnread } from "./expectation.ts";
import { isKeyTooLong, type LakeStage } from "./lake.ts";
import type { StoredObject } from "./lakeReader.ts";

/** A smaller file is not too large for any function. */
const LEAST_TOO_LARGE_BYTES = 4 * 1024 * 1024;

/** Why the source of a stage is not to be read: it is in quarantine for what does not stand in it. */
export function unreadReason(lake: LakeStage, source: StoredObject, receipt: Receipt | undefined): string | undefined {
  if (lake.stage.name === "curate" && isKeyTooLong(lake, source.key)) return "its key is too long";
  // What a function can read in one run depends on its time and memory then, so that is believed, within reason.
  const tooLarge =
    receipt?.status === "rejected" &&
    receipt.rows.rejectedByRule["file-too-large"] === 1 &&
    source.size >= LEAST_TOO_LARGE_BYTES;
  return tooLarge ? "it was too large for the function" : undefined;
}

/** Rules of the reader: rows that break one of these make no table. */
const UNREADABLE_ROWS = ["row-too-long", "unclosed-quote", "stray-quote", "encoding", "nul-byte", "ragged-row"];

/** What a contract says of a file: no matter of how it is read. */
const FILE_RULES: ContractRule[] = [
  "missing-column",
  "duplicate-column",
  "unknown-column",
  "unique",
  "primary-key",
  "duplicate-values",
  "null-values",
  "missing-values",
  "invalid-values",
  "row-count",
];

/**
 * Where the dialect of a few odd lines is a matter of opinion, a function that refuses the file is believed: the file is
 * in quarantine, with the reason. Not where it can be read as a table beyond doubt, and not for what a contract says.
 */
export function believed({ stage }: LakeStage, receipt: Receipt | undefined, expectation: Expectation): Expectation {
  const { refused, rows, breaches } = expectation;
  if (receipt?.status !== "rejected" || breaches.length > 0) return expectation;
  const isValidate = stage.name === "validate";
  if (isValidate && FILE_RULES.some((rule) => receipt.rows.rejectedByRule[rule] !== undefined)) return expectation;
  const unreadable = UNREADABLE_ROWS.reduce((sum, rule) => sum + (rows.rejectedByRule[rule] ?? 0), 0);
  // Rows that a contract rejects can be read all the same.
  const good = isValidate ? rows.read - unreadable : rows.accepted;
  if (refused === undefined && good > 0 && good >= rows.read * 0.8) return expectation;
  return refusedUnread("it can hardly be read as a table");
}
