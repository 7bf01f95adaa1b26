import { createInterface } from "node:readline";
import { MinilakeError } from "../errors.ts";
import type { Output } from "./output.ts";

/**
 * Asks on stderr; only "y" or "yes" is a yes.
 * hint   what to do where nobody can answer
 * Throws MinilakeError Usage where nobody can answer, and Interrupted on Ctrl-C.
 */
export async function confirm(
  output: Output,
  question: string,
  options: { input?: NodeJS.ReadStream; signal?: AbortSignal; hint?: string } = {},
): Promise<boolean> {
  const input = options.input ?? process.stdin;
  if (!input.isTTY || !output.isTerminal("stderr")) {
    throw new MinilakeError("Usage", `${question} There is no terminal to ask on.`, {
      hint: options.hint ?? "Look at what would be done with: minilake plan. Then run this command again with --yes.",
    });
  }
  output.raw("stderr", `${question} [y/N] `);
  const lines = createInterface({ input, ...(options.signal && { signal: options.signal }) });
  // The end of input without an answer is no yes.
  for await (const line of lines) return /^y(es)?$/i.test(line.trim());
  if (options.signal?.aborted) throw options.signal.reason;
  return false;
}
