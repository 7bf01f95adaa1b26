import { formatPercent } from "./format.ts";

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** "██████▍             32.0 %" of so many columns and the percentage. */
export function progressBar(done: number, total: number, width = 20): string {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const eighths = Math.floor(share * width * 8);
  const bar = "█".repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
  return `${bar.padEnd(width)} ${formatPercent(Math.min(done, total), total).padStart(7)}`;
}
