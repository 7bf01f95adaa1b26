import { createInterface } from "node:readline/promises";
import { MinilakeError } from "../errors.ts";
import type { Output } from "./output.ts";

/**
 * Asks on stderr; only "y" or "yes" is a yes.
 * Throws MinilakeError Usage where nobody can answer, and Interrupted on Ctrl-C.
 */
export async function confirm(
  output: Output,
  question: string,
  options: { input?: NodeJS.ReadStream; signal?: AbortSignal } = {},
): Promise<boolean> {
  const input = options.input ?? process.stdin;
  if (!input.isTTY || !output.isTerminal("stderr")) {
    throw new MinilakeError("Usage", `${question} There is no terminal to ask on.`, {
      hint: "Look at what would be done with: minilake plan. Then run this command again with --yes.",
    });
  }
  const prompt = createInterface({ input, output: output.stderr as unknown as NodeJS.WritableStream });
  try {
    const answer = await prompt.question(`${question} [y/N] `, options.signal ? { signal: options.signal } : {});
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason;
    throw error;
  } finally {
    prompt.close();
  }
}
