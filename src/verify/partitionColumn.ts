import { type DayZone, dayOf } from "./days.ts";
import type { SourceRow } from "./sourceRows.ts";

/**
 * The column whose cells say where rows belong: the configured one, the one that the receipt names if its cells are dates,
 * else the only one of dates.
 *
 * sample    the first rows
 * Returns   index -1 when there are no rows to judge by, and none to place; why the file is refused; or a doubt
 */
export function choosePartitionColumn(
  columns: string[],
  sample: SourceRow[],
  { configured, claimed, zone }: { configured: string | undefined; claimed: string | undefined; zone: DayZone },
): { index: number; doubt?: string } | { refused: string } {
  if (configured !== undefined) {
    const index = columns.indexOf(configured);
    if (index === -1) return { refused: `it has no column ${JSON.stringify(configured)}` };
    if (columns.lastIndexOf(configured) !== index) {
      return { refused: `it has several columns ${JSON.stringify(configured)}` };
    }
    return { index };
  }
  const shares = dateShares(sample, columns.length, zone);
  if (shares === undefined) return { index: -1 };
  const candidates = shares.flatMap((share, index) => (share >= 0.5 ? [index] : []));
  if (claimed !== undefined) {
    // Of several columns with that name, the one with the dates.
    const named = columns.flatMap((name, index) => (name === claimed ? [index] : []));
    const index = named.sort((left, right) => shares[right]! - shares[left]!)[0];
    if (index === undefined) return { refused: `it has no column ${JSON.stringify(claimed)}` };
    // Where a share is about a half, the size of the sample decides; that is no reason to doubt.
    if (shares[index]! >= 0.4 && !shares.some((share, other) => other !== index && share > 0.6)) return { index };
    const dated = candidates.map((candidate) => columns[candidate]).join(", ");
    return {
      index,
      doubt: `the rows are placed by the column ${JSON.stringify(claimed)}, and the columns of ISO dates are: ${dated === "" ? "none" : dated}`,
    };
  }
  if (candidates.length !== 1) {
    return { refused: candidates.length === 0 ? "no column holds ISO dates" : "several columns hold ISO dates" };
  }
  return { index: candidates[0]! };
}

/** For each column, the share of rows in which it holds an ISO date; undefined without rows to judge by. */
function dateShares(sample: SourceRow[], width: number, zone: DayZone): number[] | undefined {
  const rows = sample.filter(
    (row) => row.text.length > 0 && row.flaw === undefined && !row.suspect && row.cells.length === width,
  );
  if (rows.length === 0) return undefined;
  const dated = new Array<number>(width).fill(0);
  for (const row of rows) {
    row.cells.forEach((cell, index) => {
      if (dayOf(cell, zone) !== undefined) dated[index]! += 1;
    });
  }
  return dated.map((count) => count / rows.length);
}
