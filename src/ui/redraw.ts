import type { Output } from "./output.ts";

/** Another screen, no cursor, long lines cut instead of wrapped; and all of it back. */
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const LEAVE = "\u001b[?7h\u001b[?25h\u001b[?1049l";
/** Terminals that know it show what is between at once (synchronised output); others pass over it. */
const BEGIN_UPDATE = "\u001b[?2026h";
const END_UPDATE = "\u001b[?2026l";
const HOME = "\u001b[H";
const CLEAR_LINE_END = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/**
 * A text on a screen of its own that is drawn over itself, without clearing first: nothing flickers. When it ends, the screen is
 * as before, with the last text below what was there. For terminals only.
 */
export class Redraw {
  readonly #output: Output;
  #last: string | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  draw(text: string): void {
    const start = this.#last === undefined ? ENTER : "";
    this.#last = text;
    const lines = text.split("\n");
    const height = this.#output.height("stdout") ?? lines.length;
    const shown =
      lines.length > height ? [...lines.slice(0, height - 1), `… ${lines.length - height + 1} more lines`] : lines;
    const frame = shown.map((line) => line + CLEAR_LINE_END).join("\r\n");
    this.#output.raw("stdout", `${start}${BEGIN_UPDATE}${HOME}${frame}${CLEAR_BELOW}${END_UPDATE}`);
  }

  /** May be called again. */
  end(): void {
    if (this.#last === undefined) return;
    this.#output.raw("stdout", LEAVE);
    this.#output.print(this.#last);
    this.#last = undefined;
  }
}
