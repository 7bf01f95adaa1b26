import type { CompiledContract } from "../../src/contract/compiledContract.ts";
import type { ReceiptWarning } from "../../src/contract/receipt.ts";
import { csvLine } from "../csvText.ts";
import type { Destination, Fault } from "../destination.ts";
import type { Outputs } from "../outputs.ts";
import { FileRefused, type Layout } from "../reader/layout.ts";
import type { RowCells } from "../rowCells.ts";
import { RowWriter } from "../rowWriter.ts";
import { type ColumnMatch, matchColumns } from "./columnMatch.ts";
import { ColumnRules, type RowWarning } from "./columnRules.ts";
import { Gate } from "./gates.ts";
import { breachMessage, gateMessage, warningMessage } from "./messages.ts";

const NO_BYTES = Buffer.alloc(0);

/**
 * The destination of `validate`: a row that the contract accepts goes to the one trusted object, conformed.
 * What must hold is in the words of src/contract/compiledContract.ts.
 */
export class TrustedRows implements Destination {
  readonly ready = true;
  /** Number of the trusted output. */
  readonly output: number;
  readonly #contract: CompiledContract;
  readonly #outputs: Outputs;
  readonly #writer: RowWriter;
  readonly #match: ColumnMatch;
  readonly #columns: ColumnRules[];
  readonly #gates: Gate[];
  /** Where the fields of a plain row start. */
  readonly #starts: Int32Array;
  /** Of the row at hand. */
  readonly #warned: RowWarning[] = [];
  #faulty: ColumnRules;

  /**
   * textBytes  about what the file has
   * Throws     FileRefused when the contract does not let the file in for its columns
   */
  constructor(contract: CompiledContract, layout: Layout, outputs: Outputs, textBytes: number) {
    this.#contract = contract;
    this.#outputs = outputs;
    this.#match = matchColumns(contract, layout.columns);
    this.#writer = new RowWriter(outputs, layout.delimiter);
    this.#columns = contract.columns.map((column, i) => new ColumnRules(column, this.#match.sources[i]!));
    this.#faulty = this.#columns[0]!;
    this.#gates = contract.gates.map(
      (gate) =>
        new Gate(
          gate,
          gate.columns.map((name) => layout.columns.indexOf(name)),
          outputs,
          textBytes,
        ),
    );
    this.#starts = new Int32Array(layout.columns.length);
    this.output = outputs.open(Buffer.from(csvLine(this.#match.columns)));
  }

  plain(window: Buffer, start: number, end: number, ends: Int32Array, line: number): boolean {
    const starts = this.#starts;
    let next = start;
    for (let i = 0; i < starts.length; i++) {
      starts[i] = next;
      next = ends[i]! + 1;
    }
    if (!this.#accepts(window, starts, ends, line)) return false;
    if (this.#match.isSame && !this.#isRewritten()) this.#writer.appendPlain(this.output, window, start, end);
    else this.#write(window, starts, ends);
    return true;
  }

  cells({ bytes, starts, ends }: RowCells, line: number): boolean {
    if (!this.#accepts(bytes, starts, ends, line)) return false;
    this.#write(bytes, starts, ends);
    return true;
  }

  #accepts(bytes: Buffer, starts: Int32Array, ends: Int32Array, line: number): boolean {
    const columns = this.#columns;
    const warned = this.#warned;
    if (warned.length > 0) warned.length = 0;
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i]!;
      const { source } = column;
      const accepted =
        source < 0 ? column.acceptsNull(warned) : column.accepts(bytes, starts[source]!, ends[source]!, warned);
      if (!accepted) {
        this.#faulty = column;
        return false;
      }
    }
    for (let i = 0; i < this.#gates.length; i++) this.#gates[i]!.add(bytes, starts, ends, line);
    for (let i = 0; i < warned.length; i++) {
      const warning = warned[i]!;
      if (warning.rows++ === 0) warning.firstLine = line;
    }
    return true;
  }

  #isRewritten(): boolean {
    const columns = this.#columns;
    for (let i = 0; i < columns.length; i++) if (columns[i]!.isRewritten) return true;
    return false;
  }

  #write(bytes: Buffer, starts: Int32Array, ends: Int32Array): void {
    const writer = this.#writer;
    writer.startRow();
    for (const column of this.#columns) {
      const { source, type } = column;
      if (source < 0) writer.addCell(NO_BYTES, 0, 0);
      else if (column.isRewritten) writer.addCell(type.conformed, 0, type.conformedLength);
      else writer.addCell(bytes, starts[source]!, ends[source]!);
    }
    for (const source of this.#match.kept) writer.addCell(bytes, starts[source]!, ends[source]!);
    writer.endRow(this.output);
  }

  fault(texts: string[]): Fault {
    const { breach, source } = this.#faulty;
    const message = breachMessage(breach, source < 0 ? "" : texts[source]!);
    return { rule: breach.rule, column: breach.column.name, message };
  }

  /**
   * What the contract only warns of, when every row has been seen.
   *
   * Throws  FileRefused when a gate keeps the file out
   */
  finish(): ReceiptWarning[] {
    const rows = this.#outputs.rows(this.output);
    const warnings: ReceiptWarning[] = this.#columns
      .flatMap((column) => column.warnings)
      .filter((warning) => warning.rows > 0)
      .map((warning) => ({
        rule: warning.rule,
        column: warning.column.name,
        rows: warning.rows,
        message: warningMessage(warning),
      }));
    for (const gate of this.#gates) {
      const result = gate.result(rows);
      if (result.passed) continue;
      const { rule, columns, severity } = gate.gate;
      const column = columns.join(",");
      const message = gateMessage(result, this.#contract, rows);
      if (severity === "error")
        throw new FileRefused(
          rule,
          `${message}. Nothing of the file is in the lake; mend it and send it again`,
          column,
        );
      warnings.push({ rule, column, rows: result.measured, message });
    }
    return warnings;
  }
}
