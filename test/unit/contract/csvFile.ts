import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Writes a file into a folder of its own, which goes when the test ends. */
export function writeTemporary(name: string, content: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), "minilake-infer-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

export interface Writing {
  delimiter: string;
  quote: string;
  newline: string;
  /** Every cell, not only those that need it. */
  quoteAll: boolean;
}

export function csvText(rows: string[][], { delimiter, quote, newline, quoteAll }: Writing): string {
  const cell = (text: string) =>
    quoteAll || text === "" || /[\r\n]/.test(text) || text.includes(delimiter) || text.includes(quote)
      ? quote + text.replaceAll(quote, quote + quote) + quote
      : text;
  return rows.map((cells) => cells.map(cell).join(delimiter) + newline).join("");
}
