const BARS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;

/**
 * One character per value: "▁▂▅█". The highest is a full block, 0 the lowest bar and used for nothing else, undefined a space.
 * When there are more values than `width`, neighbours share a character: their sum when `join` is "sum", else the highest.
 */
export function sparkline(
  values: (number | undefined)[],
  { width = values.length, join = "sum" }: { width?: number; join?: "sum" | "max" } = {},
): string {
  const joined = values.length > width ? joinValues(values, width, join) : values;
  const most = Math.max(0, ...joined.map((value) => value ?? 0));
  return joined
    .map((value) => {
      if (value === undefined) return " ";
      if (value <= 0) return BARS[0];
      return BARS[Math.max(1, Math.ceil((value / most) * 8) - 1)];
    })
    .join("");
}

function joinValues(values: (number | undefined)[], width: number, join: "sum" | "max"): (number | undefined)[] {
  const joined: (number | undefined)[] = Array(width).fill(undefined);
  for (const [index, value] of values.entries()) {
    if (value === undefined) continue;
    const at = Math.floor((index * width) / values.length);
    joined[at] = join === "sum" ? (joined[at] ?? 0) + value : Math.max(joined[at] ?? 0, value);
  }
  return joined;
}
