import { createInterface } from "node:readline";
import type { MinilakeError } from "../errors.ts";
import type { Output } from "./output.ts";

/** A person gets so many tries. */
const TRIES = 3;

/**
 * Asks on stderr for one of several things, by number or by name.
 *
 * otherwise  thrown where nobody can answer, or nobody does; its hint says which option answers beforehand
 * Returns    the index of the choice
 */
export async function choose(
  output: Output,
  question: string,
  choices: string[],
  options: { otherwise: MinilakeError; input?: NodeJS.ReadStream; signal?: AbortSignal },
): Promise<number> {
  const input = options.input ?? process.stdin;
  if (!input.isTTY || !output.isTerminal("stderr")) throw options.otherwise;
  output.note(question);
  for (const [index, choice] of choices.entries()) output.note(`  ${index + 1}  ${choice}`);
  const prompt = () => output.raw("stderr", `Number or name [1-${choices.length}]: `);
  prompt();
  const lines = createInterface({ input, ...(options.signal && { signal: options.signal }) });
  let tries = 0;
  for await (const line of lines) {
    const answer = line.trim();
    const index = /^\d+$/.test(answer) ? Number(answer) - 1 : choices.indexOf(answer);
    if (index >= 0 && index < choices.length) return index;
    if (++tries === TRIES) break;
    prompt();
  }
  if (options.signal?.aborted) throw options.signal.reason;
  throw options.otherwise;
}
