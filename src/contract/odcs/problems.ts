import type { LineCounter } from "yaml";
import { MinilakeError } from "../../errors.ts";

/** Of many problems, so many are printed. */
const SHOWN = 20;

interface Problem {
  offset: number;
  message: string;
  hint: string | undefined;
}

/** What is wrong with one contract, gathered so that all of it can be mended at once. */
export class Problems {
  readonly #file: string;
  readonly #lines: LineCounter;
  readonly #found: Problem[] = [];

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  get count(): number {
    return this.#found.length;
  }

  /** hint: a question or sentence that says what to write instead. */
  add(node: { offset: number }, message: string, hint?: string): void {
    this.#found.push({ offset: node.offset, message, hint });
  }

  /** Throws MinilakeError Config with all problems, each with line and column, in the order of the file. */
  throwIfAny(): void {
    if (this.#found.length === 0) return;
    const found = [...this.#found].sort((a, b) => a.offset - b.offset);
    if (found.length === 1) {
      const { offset, message, hint } = found[0]!;
      throw new MinilakeError("Config", `${this.#file} ${this.place(offset)}: ${message}`, hint ? { hint } : {});
    }
    const shown = found.slice(0, SHOWN).map(({ offset, message, hint }) => {
      return `  ${this.place(offset)}: ${message}${hint ? ` (${hint[0]!.toLowerCase()}${hint.slice(1).replace(/\.$/, "")})` : ""}`;
    });
    const rest = found.length - shown.length;
    if (rest > 0) shown.push(`  and ${rest} more`);
    throw new MinilakeError("Config", `${this.#file} has ${found.length} problems:\n${shown.join("\n")}`, {
      hint: "What a contract may say: docs/contract.md",
    });
  }

  place(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `line ${line}, column ${col}`;
  }

  line(node: { offset: number }): number {
    return this.#lines.linePos(node.offset).line;
  }
}
