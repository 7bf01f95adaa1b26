/** How often a guess about a column was wrong, and where first. */
export interface Misses {
  count: number;
  first: { text: string; line: number } | undefined;
}

/** So many cells are looked at before a guess that is often wrong is given up. */
const PATIENCE = 20;
/** Of the cells, more than so many are against a guess that is given up. */
const HOPELESS_SHARE = 0.05;
/** With so many cells, a few that do not fit may be mistakes in the file; with fewer, nobody can tell. */
const MANY_CELLS = 100;
const MISTAKE_SHARE = 0.02;

export function noMisses(): Misses {
  return { count: 0, first: undefined };
}

export function addMiss(misses: Misses, text: string, line: number): void {
  misses.count++;
  misses.first ??= { text, line };
}

/** seen  cells with text so far */
export function isHopeless({ count }: Misses, seen: number): boolean {
  return count > PATIENCE && count > seen * HOPELESS_SHARE;
}

/** True when what does not fit is so little that it is rather a mistake in the file than in the guess. */
export function isRare({ count }: Misses, seen: number): boolean {
  return count === 0 || (seen >= MANY_CELLS && count <= seen * MISTAKE_SHARE);
}
