import { csvLine } from "./csvText.ts";
import { type Destination, type Fault, shown } from "./destination.ts";
import type { Outputs } from "./outputs.ts";
import type { ParquetRowLimits } from "./parquet/rowLimits.ts";
import { type Day, type DayReader, dayName, NO_DAY } from "./partition.ts";
import type { Layout } from "./reader/layout.ts";
import type { RowCells } from "./rowCells.ts";
import { RowWriter } from "./rowWriter.ts";

/** Days of one year in `Day`'s numbering. */
const YEAR_SPAN = 512;

/** The destination of `curate`: a row goes to the output of its day. */
export class DayPartitions implements Destination {
  readonly #outputs: Outputs;
  readonly #layout: Layout;
  readonly #dayReader: DayReader;
  readonly #writer: RowWriter;
  readonly #limits: ParquetRowLimits | undefined;
  readonly #head: Buffer;
  readonly #days = new Map<Day, number>();
  /** Per year, the output of each day plus one, and the year that was last asked for: most files have a handful. */
  readonly #years = new Map<number, Int32Array>();
  #year = -1;
  #outputsOfYear: Int32Array = new Int32Array(0);

  /** limits  of the format that the rows will be in; @default none, as of CSV */
  constructor(outputs: Outputs, layout: Layout, dayReader: DayReader, limits?: ParquetRowLimits) {
    this.#limits = limits;
    this.#outputs = outputs;
    this.#layout = layout;
    this.#dayReader = dayReader;
    this.#writer = new RowWriter(outputs, layout.delimiter);
    this.#head = Buffer.from(csvLine(layout.columns));
  }

  get ready(): boolean {
    return this.#layout.keyColumn >= 0;
  }

  plain(window: Buffer, start: number, end: number, ends: Int32Array): boolean {
    const { keyColumn } = this.#layout;
    if (keyColumn < 0) return false;
    const keyStart = keyColumn === 0 ? start : ends[keyColumn - 1]! + 1;
    const day = this.#dayReader.read(window, keyStart, ends[keyColumn]!);
    if (day === NO_DAY) return false;
    if (this.#limits !== undefined && !this.#limits.fitsPlain(window, start, ends)) return false;
    this.#writer.appendPlain(this.#outputOf(day), window, start, end);
    return true;
  }

  cells(cells: RowCells): boolean {
    const { bytes, starts, ends, count } = cells;
    const { keyColumn } = this.#layout;
    const day = this.#dayReader.read(bytes, starts[keyColumn]!, ends[keyColumn]!);
    if (day === NO_DAY) return false;
    if (this.#limits !== undefined && !this.#limits.fitsCells(cells)) return false;
    const writer = this.#writer;
    writer.startRow();
    for (let i = 0; i < count; i++) writer.addCell(bytes, starts[i]!, ends[i]!);
    writer.endRow(this.#outputOf(day));
    return true;
  }

  fault(texts: string[]): Fault {
    const { columns, keyColumn } = this.#layout;
    const column = columns[keyColumn] ?? "";
    const value = texts[keyColumn]!;
    const bytes = Buffer.from(value);
    const limit = this.#dayReader.read(bytes, 0, bytes.length) === NO_DAY ? undefined : this.#limits?.fault(texts);
    if (limit !== undefined) return limit;
    const message =
      value === ""
        ? `${column} is empty; expected a date (YYYY-MM-DD) or a timestamp`
        : `${column} is no date (YYYY-MM-DD) or timestamp: ${shown(value)}`;
    return { rule: "partition-date", column, message };
  }

  /** `YYYY-MM-DD` and output number of every partition, in order. */
  partitions(): { partition: string; output: number }[] {
    return [...this.#days].sort(([a], [b]) => a - b).map(([day, output]) => ({ partition: dayName(day), output }));
  }

  #outputOf(day: Day): number {
    if (day >> 9 !== this.#year) this.#turnTo(day >> 9);
    const outputs = this.#outputsOfYear;
    const known = outputs[day & 511]!;
    if (known !== 0) return known - 1;
    const output = this.#outputs.open(this.#head);
    outputs[day & 511] = output + 1;
    this.#days.set(day, output);
    return output;
  }

  #turnTo(year: number): void {
    let outputs = this.#years.get(year);
    if (outputs === undefined) {
      outputs = new Int32Array(YEAR_SPAN);
      this.#years.set(year, outputs);
    }
    this.#year = year;
    this.#outputsOfYear = outputs;
  }
}
