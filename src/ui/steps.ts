import type { Output } from "./output.ts";

/**
 * Steps of a command, on stderr.
 * On a terminal a spinner shows the step that runs; elsewhere each step is one plain line when it ends, and one that
 * takes long says so every PLAIN_INTERVAL_MS.
 */
export interface Steps {
  /** Begins a step; a step that still runs ends as done. */
  start(text: string): void;
  /** Changes what the running step says; begins one when none runs. */
  update(text: string): void;
  /** Ends the running step well. */
  succeed(text?: string): void;
  /** Ends the running step, not well but not fatally. */
  warn(text?: string): void;
  /** Ends the running step badly. */
  fail(text?: string): void;
  /** Takes the running step away without a word. */
  stop(): void;
}

const PLAIN_INTERVAL_MS = 5_000;

/** quiet   good ends are not told: on stderr are warnings, and progress */
export async function createSteps(output: Output, quiet = false): Promise<Steps> {
  const steps = await (output.isTerminal("stderr") ? spinner(output) : plain(output));
  return quiet ? { ...steps, succeed: () => steps.stop() } : steps;
}

async function spinner(output: Output): Promise<Steps> {
  const { default: ora } = await import("ora");
  const spin = ora({
    stream: output.stderr as unknown as NodeJS.WritableStream,
    // The terminal stays in its own mode, so that Ctrl-C is a signal at once even while the CLI is busy.
    discardStdin: false,
    color: output.hasColours("stderr") ? "cyan" : false,
    isEnabled: true,
  });
  const colours = await output.colours("stderr");
  const fitted = (text: string) => {
    const columns = output.width("stderr");
    return columns && text.length > columns - 4 ? `${text.slice(0, columns - 5)}…` : text;
  };
  let text = "";
  output.onBeforeWrite = () => spin.isSpinning && spin.clear();
  output.onAfterWrite = () => spin.isSpinning && spin.render();
  const end = (symbol: string, last: string | undefined) => {
    if (!spin.isSpinning && last === undefined) return;
    spin.stop();
    output.note(`${symbol} ${last ?? text}`);
  };
  const steps: Steps = {
    start(next) {
      if (spin.isSpinning) steps.succeed();
      text = next;
      spin.start(fitted(next));
    },
    update(next) {
      text = next;
      if (spin.isSpinning) spin.text = fitted(next);
      else spin.start(fitted(next));
    },
    succeed: (last) => end(colours.green("✔"), last),
    warn: (last) => end(colours.yellow("!"), last),
    fail: (last) => end(colours.red("✖"), last),
    stop: () => void spin.stop(),
  };
  return steps;
}

function plain(output: Output): Steps {
  let running: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const begin = (text: string) => {
    running = text;
    timer ??= setInterval(() => output.note(`  ${running} …`), PLAIN_INTERVAL_MS).unref();
  };
  const end = (symbol: string, last: string | undefined) => {
    clearInterval(timer);
    timer = undefined;
    const text = last ?? running;
    running = undefined;
    if (text !== undefined) output.note(`${symbol} ${text}`);
  };
  return {
    start(text) {
      if (running !== undefined) end("✔", undefined);
      begin(text);
    },
    update: begin,
    succeed: (last) => end("✔", last),
    warn: (last) => end("!", last),
    fail: (last) => end("✖", last),
    stop() {
      clearInterval(timer);
      timer = undefined;
      running = undefined;
    },
  };
}
