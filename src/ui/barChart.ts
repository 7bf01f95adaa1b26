import stringWidth from "string-width";
import { cutMiddle } from "./table.ts";

export interface Bar {
  label: string;
  /** What the bar's length shows; not finite or negative: no bar. */
  value: number;
  /** As printed behind the bar. */
  text: string;
}

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const WIDEST_LABEL = 40;
const WIDTH_ELSEWHERE = 80;

/** A line per bar: label, bar, value. The longest bar fills what the widest label and value leave of `width`. */
export function renderBars(bars: Bar[], width: number = WIDTH_ELSEWHERE): string {
  const labels = bars.map(({ label }) => cutMiddle(label, WIDEST_LABEL));
  const labelWidth = Math.max(0, ...labels.map((label) => stringWidth(label)));
  const textWidth = Math.max(0, ...bars.map(({ text }) => stringWidth(text)));
  const room = Math.max(8, width - 2 - labelWidth - 2 - textWidth - 2);
  const most = Math.max(0, ...bars.map(({ value }) => (Number.isFinite(value) ? value : 0)));
  return bars
    .map(({ value, text }, index) => {
      const eighths = most > 0 && value > 0 ? Math.max(1, Math.round((value / most) * room * 8)) : 0;
      const bar = "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
      const label = labels[index]!;
      return `  ${label}${" ".repeat(labelWidth - stringWidth(label))}  ${bar}${bar === "" ? "" : " "}${text}`;
    })
    .join("\n");
}
