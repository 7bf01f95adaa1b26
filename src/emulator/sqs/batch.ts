import type { AwsError } from "../awsError.ts";
import { settle } from "./context.ts";
import { batchError, legacyCode, missingParameter } from "./errors.ts";
import { type Input, isStructure, listOf } from "./input.ts";

const MAX_ENTRIES = 10;

/**
 * The entries of a batch request, each with an Id of its own.
 *
 * Throws   EmptyBatchRequest, TooManyEntriesInBatchRequest (more than 10), InvalidBatchEntryId, BatchEntryIdsNotDistinct
 */
export function readEntries(input: Input, entryShape: string): Input[] {
  const entries = listOf(input, "Entries", isStructure);
  if (entries.length === 0) {
    throw batchError("EmptyBatchRequest", `There should be at least one ${entryShape} in the request.`);
  }
  if (entries.length > MAX_ENTRIES) {
    throw batchError(
      "TooManyEntriesInBatchRequest",
      `Maximum number of entries per request are ${MAX_ENTRIES}. You have sent ${entries.length}.`,
    );
  }
  const seen = new Set<string>();
  entries.forEach((entry, index) => {
    const { Id } = entry;
    if (Id === undefined) throw missingParameter(`${entryShape}.${index + 1}.Id`);
    if (typeof Id !== "string" || !/^[A-Za-z0-9_-]{1,80}$/.test(Id)) {
      throw batchError(
        "InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
      );
    }
    if (seen.has(Id)) throw batchError("BatchEntryIdsNotDistinct", `Id ${Id} repeated.`);
    seen.add(Id);
  });
  return entries;
}

/** Successful and Failed of a batch answer; `work` runs once per entry. */
export function runEntries<T extends object>(
  entries: Input[],
  work: (entry: Input) => T,
): { Successful: (T & { Id: string })[]; Failed: FailedEntry[] } {
  const { successful, failures } = settle(entries, (entry) => ({ Id: String(entry.Id), ...work(entry) }), failedEntry);
  return { Successful: successful, Failed: failures as FailedEntry[] };
}

interface FailedEntry {
  Id: string;
  SenderFault: boolean;
  Code: string;
  Message: string;
}

function failedEntry(id: string, error: AwsError): FailedEntry {
  return { Id: id, SenderFault: error.status < 500, Code: legacyCode(error), Message: error.message };
}
