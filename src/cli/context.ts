import type { Readable } from "node:stream";
import type { Output } from "../ui/output.ts";

/** What a command gets from the process, so that it can run in a test as well. */
export interface CommandContext {
  output: Output;
  environment: Record<string, string | undefined>;
  /** Relative paths start here. */
  cwd: string;
  /** What `-` stands for. */
  stdin: Readable;
  /** Aborts on Ctrl-C; work stops at the next safe place and throws MinilakeError Interrupted. */
  signal: AbortSignal;
  /** What the process ends with when nothing is thrown, such as 1 for a `verify` that found a falsehood. */
  /** Set once it is known: who answers requests, for the words of an error. @default "The endpoint" */
  answerer?: "AWS" | "The endpoint";
  exitCode: number;
}
