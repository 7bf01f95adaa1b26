import { readFileSync } from "node:fs";
import { MinilakeError } from "../../errors.ts";
import { check } from "./check.ts";
import { compileContract, type LoadedContract } from "./compile.ts";
import { type MapNode, readDocument } from "./document.ts";
import { Problems } from "./problems.ts";
import { CONTRACT } from "./standard.ts";

export type { LoadedContract } from "./compile.ts";

/** Larger than any contract; a data file that was named by mistake is not read into memory. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Reads an ODCS v3.1 contract, checks it against the standard and compiles it.
 *
 * path     of the YAML (or JSON) file
 * schema   name of the entry of `schema` that is about the lake; may be left out when there is one
 * Throws   MinilakeError Config with file, line and column of everything that is wrong, or not enforced and would have to be
 */
export function loadContract(path: string, options: { schema?: string } = {}): LoadedContract {
  return parseContract(readContractFile(path), path, options);
}

/** The same for the text of a contract; `file` is what messages call it. */
export function parseContract(text: string, file: string, options: { schema?: string } = {}): LoadedContract {
  const { root, lines } = readDocument(text, file);
  const problems = new Problems(file, lines);
  check(root, CONTRACT, problems);
  problems.throwIfAny();
  const loaded = compileContract(root as MapNode, options.schema, problems);
  problems.throwIfAny();
  return loaded!;
}

/** Throws MinilakeError Config when the text is no document of the standard; says nothing about what minilake enforces. */
export function checkContract(text: string, file: string): void {
  const { root, lines } = readDocument(text, file);
  const problems = new Problems(file, lines);
  check(root, CONTRACT, problems);
  problems.throwIfAny();
}

function readContractFile(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "does not exist" : code === "EISDIR" ? "is a folder" : `cannot be read (${code})`;
    throw new MinilakeError("Config", `The contract ${path} ${why}.`, {
      hint: "Paths in minilake.yaml are relative to that file. To make a contract from a CSV file: minilake init FILE",
      cause: error,
    });
  }
  if (bytes.length > MAX_BYTES) {
    throw new MinilakeError("Config", `${path} has ${bytes.length} bytes, and a contract has at most ${MAX_BYTES}.`);
  }
  return bytes.toString("utf8").replace(/^\ufeff/, "");
}
