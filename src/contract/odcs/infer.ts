import { MinilakeError } from "../../errors.ts";
import type { LoadedContract } from "./compile.ts";
import type { FileProfile } from "./infer/fileProfile.ts";
import { type ColumnGuess, type GuessOptions, guessColumns } from "./infer/guessColumns.ts";
import { writeContract } from "./infer/writeContract.ts";
import { parseContract } from "./load.ts";

export { type FileProfile, type ProfileOptions, profileFile } from "./infer/fileProfile.ts";

export interface InferredContract {
  /** YAML, with a comment at every guess. */
  text: string;
  /** What it compiles to. */
  loaded: LoadedContract;
  columns: ColumnGuess[];
  /** What it would reject of the rows that were looked at. */
  rejected: { column: string; rule: "type" | "required"; rows: number; line: number }[];
}

export interface InferOptions extends GuessOptions {
  id: string;
  /** One of `partitionCandidates`; undefined: no column is marked, unless there is just one. */
  partitionColumn?: string;
}

/** The columns that a lake could be partitioned by, in the order of the file. */
export function partitionCandidates(profile: FileProfile): string[] {
  return guessColumns(profile)
    .filter(({ type }) => type === "date" || type === "timestamp")
    .map(({ name }) => name);
}

/**
 * Writes the contract that a file suggests. Everything that it says is true of the rows that were looked at, but for
 * what `rejected` lists: dates that nearly all rows have and a few do not.
 */
export function inferContract(profile: FileProfile, options: InferOptions): InferredContract {
  const columns = guessColumns(profile, options);
  const candidates = partitionCandidates(profile);
  const partitionColumn = options.partitionColumn ?? (candidates.length === 1 ? candidates[0] : undefined);
  if (partitionColumn !== undefined && !candidates.includes(partitionColumn)) {
    throw new MinilakeError(
      "Usage",
      `${profile.file} has no column "${partitionColumn}" of dates.`,
      candidates.length > 0 ? { hint: `Columns of dates: ${candidates.join(", ")}.` } : {},
    );
  }
  const text = writeContract(profile, columns, {
    id: options.id,
    ...(partitionColumn !== undefined && { partitionColumn }),
  });
  const rejected: InferredContract["rejected"] = [];
  for (const { name, misses } of columns) {
    const empty = profile.columns.find((column) => column.name === name)!.empty;
    if (name === partitionColumn && empty > 0) rejected.push({ column: name, rule: "required", rows: empty, line: 0 });
    if (misses) rejected.push({ column: name, rule: "type", rows: misses.count, line: misses.first!.line });
  }
  return { text, loaded: parseContract(text, "the contract that was made"), columns, rejected };
}
