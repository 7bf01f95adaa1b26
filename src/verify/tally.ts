import type { SourceResult } from "./compareSource.ts";
import type { PartitionRow, VerifyReport } from "./report.ts";

/** Sums over the raw objects that were compared. */
export class Tally {
  readonly totals: VerifyReport["totals"] = {
    rawObjects: 0,
    rawBytes: 0,
    trustedObjects: 0,
    curatedObjects: 0,
    quarantineObjects: 0,
    rowsRead: 0,
    rowsTrusted: 0,
    rowsAccepted: 0,
    rowsRejected: 0,
    rowsStored: 0,
    rowsQuarantined: 0,
    filesRejected: 0,
  };
  readonly #partitions = new Map<string, PartitionRow>();

  /** Adds a source, or takes it out again. */
  add({ source, rows, objects, refused, partitions }: SourceResult, sign: 1 | -1): void {
    const { totals } = this;
    totals.rawObjects += sign;
    totals.rawBytes += sign * source.size;
    totals.trustedObjects += sign * objects.trusted;
    totals.curatedObjects += sign * objects.curated;
    totals.quarantineObjects += sign * objects.quarantine;
    totals.rowsRead += sign * rows.read;
    totals.rowsTrusted += sign * rows.trusted;
    totals.rowsAccepted += sign * rows.accepted;
    totals.rowsRejected += sign * rows.rejected;
    totals.rowsStored += sign * rows.stored;
    totals.rowsQuarantined += sign * rows.quarantined;
    totals.filesRejected += refused ? sign : 0;
    for (const [partition, count] of partitions) {
      const row = this.#partition(partition);
      row.objects += sign * count.objects;
      row.rowsExpected += sign * count.expected;
      row.rowsStored += sign * count.stored;
    }
  }

  /** A curated object that should not be there; the table shows what is stored, and that is also what should not be. */
  addStray(partition: string, rows: number): void {
    const row = this.#partition(partition);
    row.objects += 1;
    row.rowsStored += rows;
    row.ok = false;
    this.totals.curatedObjects += 1;
    this.totals.rowsStored += rows;
  }

  markWrong(partition: string): void {
    this.#partition(partition).ok = false;
  }

  /** In order of the day. */
  partitions(): PartitionRow[] {
    return [...this.#partitions.values()]
      .filter((row) => row.rowsExpected > 0 || row.rowsStored > 0 || !row.ok)
      .sort((left, right) => (left.partition < right.partition ? -1 : 1));
  }

  #partition(partition: string): PartitionRow {
    let row = this.#partitions.get(partition);
    if (row === undefined) {
      row = { partition, objects: 0, rowsExpected: 0, rowsStored: 0, ok: true };
      this.#partitions.set(partition, row);
    }
    return row;
  }
}
