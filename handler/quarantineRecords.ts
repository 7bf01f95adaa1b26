import { REJECT_COLUMNS } from "../src/contract/receipt.ts";
import { csvField, csvLine } from "./csvText.ts";
import type { Fault } from "./destination.ts";
import type { Outputs } from "./outputs.ts";

const HEAD = Buffer.from(csvLine(REJECT_COLUMNS));

/** The quarantine file of one source object; there is none until the first record. */
export class QuarantineRecords {
  readonly #outputs: Outputs;
  readonly #sourceKey: string;
  /** Number of the output; -1 while there is no record. */
  output = -1;

  constructor(outputs: Outputs, sourceKey: string) {
    this.#outputs = outputs;
    this.#sourceKey = sourceKey;
  }

  /** Everything but the row itself, which follows in pieces. */
  begin(line: number, offset: number, { column, rule, message }: Fault, rowEncoding: "text" | "base64"): void {
    if (this.output < 0) this.output = this.#outputs.open(HEAD);
    const fields = [this.#sourceKey, String(line), String(offset), column, rule, message, rowEncoding];
    this.append(`${fields.map(csvField).join(",")},`);
  }

  /** A piece of the row as it is to stand in the file. */
  append(text: string): void {
    const bytes = Buffer.from(text);
    this.#outputs.append(this.output, bytes, 0, bytes.length);
  }

  end(): void {
    this.append("\n");
    this.#outputs.countRow(this.output);
  }
}

/** The only record of a file that is refused as a whole. */
export function fileRecord(sourceKey: string, { rule, column, message }: Fault): Buffer {
  return Buffer.concat([HEAD, Buffer.from(csvLine([sourceKey, "0", "0", column, rule, message, "text", ""]))]);
}
