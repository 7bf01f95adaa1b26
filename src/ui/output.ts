import type { ChalkInstance } from "chalk";

/** The part of a Node stream that output needs; tests pass their own. */
export interface OutputStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

export interface OutputOptions {
  stdout: OutputStream;
  stderr: OutputStream;
  environment: Record<string, string | undefined>;
}

/**
 * The single writer of stdout and stderr.
 * Results go to stdout, progress and problems to stderr. Once the reader of a stream is gone (`| head`),
 * what is written there is dropped and the command goes on to its own end.
 */
export class Output {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly environment: Record<string, string | undefined>;
  /** A spinner holds the last line of the terminal; it is lifted for as long as something else is written. */
  onBeforeWrite: (() => void) | undefined;
  onAfterWrite: (() => void) | undefined;
  readonly #closed = new Set<OutputStream>();

  constructor(options: OutputOptions) {
    this.stdout = options.stdout;
    this.stderr = options.stderr;
    this.environment = options.environment;
  }

  /** Marks a stream whose reader has gone. */
  close(stream: OutputStream): void {
    this.#closed.add(stream);
  }

  /** A line of result. */
  print(text = ""): void {
    this.#write(this.stdout, `${text}\n`);
  }

  /** One JSON document, or one line of JSON when `compact`. */
  json(value: unknown, compact = false): void {
    this.#write(this.stdout, `${JSON.stringify(value, null, compact ? undefined : 2)}\n`);
  }

  /** A line of progress or of a problem. */
  note(text = ""): void {
    this.#write(this.stderr, `${text}\n`);
  }

  /** Text as it is, for what writes its own line ends. */
  raw(to: "stdout" | "stderr", text: string): void {
    this.#write(this[to], text);
  }

  /** True when a person sees the stream on a terminal that can move its cursor. */
  isTerminal(to: "stdout" | "stderr"): boolean {
    return this[to].isTTY === true && this.environment.TERM !== "dumb";
  }

  /** NO_COLOR turns colours off, FORCE_COLOR on (`0` and `false`: off); otherwise a terminal has them. https://no-color.org */
  hasColours(to: "stdout" | "stderr"): boolean {
    const { NO_COLOR: no, FORCE_COLOR: force } = this.environment;
    if (force !== undefined) return force !== "0" && force !== "false";
    if (no !== undefined && no !== "") return false;
    return this.isTerminal(to);
  }

  /** Columns of the terminal; undefined when there is none and lines may be of any length. */
  width(to: "stdout" | "stderr"): number | undefined {
    return this.isTerminal(to) ? this[to].columns : undefined;
  }

  /** Lines of the terminal; undefined when there is none. */
  height(to: "stdout" | "stderr"): number | undefined {
    return this.isTerminal(to) ? this[to].rows : undefined;
  }

  async colours(to: "stdout" | "stderr"): Promise<ChalkInstance> {
    const { Chalk } = await import("chalk");
    return new Chalk({ level: this.hasColours(to) ? 1 : 0 });
  }

  #write(stream: OutputStream, text: string): void {
    if (this.#closed.has(stream)) return;
    this.onBeforeWrite?.();
    stream.write(text);
    this.onAfterWrite?.();
  }
}
