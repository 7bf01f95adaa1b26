import { expect, test } from "vitest";
import { Output } from "../../../src/ui/output.ts";
import { Redraw } from "../../../src/ui/redraw.ts";

function terminal(rows: number) {
  const written: string[] = [];
  const stdout = { write: (text: string) => void written.push(text), isTTY: true, columns: 40, rows };
  const output = new Output({ stdout, stderr: stdout, environment: { TERM: "xterm" } });
  return { written, redraw: new Redraw(output) };
}

test("draws over what is there: each line is written and its rest cleared, never the screen before it", () => {
  const { written, redraw } = terminal(10);
  redraw.draw("one\ntwo");
  redraw.draw("three");
  expect(written[0]).toMatch(/^\u001b\[\?1049h/);
  expect(written[0]).toContain("\u001b[Hone\u001b[K\r\ntwo\u001b[K\u001b[J");
  expect(written[1]).toBe("\u001b[?2026h\u001b[Hthree\u001b[K\u001b[J\u001b[?2026l");
});

test("what does not fit is counted, and nothing scrolls", () => {
  const { written, redraw } = terminal(3);
  redraw.draw("1\n2\n3\n4\n5");
  expect(written[0]).toContain("1\u001b[K\r\n2\u001b[K\r\n… 3 more lines\u001b[K");
  expect(written[0]).not.toContain("\n4");
});

test("in the end the screen is as before, and the last text below", () => {
  const { written, redraw } = terminal(10);
  redraw.end();
  expect(written).toEqual([]);
  redraw.draw("last");
  redraw.end();
  redraw.end();
  expect(written.slice(1)).toEqual(["\u001b[?7h\u001b[?25h\u001b[?1049l", "last\n"]);
});
