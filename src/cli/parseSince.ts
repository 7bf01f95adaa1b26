import { InvalidArgumentError } from "commander";

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A point in time: "30s", "10m", "2h" or "7d" ago, or an ISO date or time such as 2026-11-23 or 2026-11-23T09:30Z. Milliseconds since the epoch. */
export function parseSince(text: string): number {
  const ago = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text);
  if (ago) return Date.now() - Number(ago[1]) * UNITS[ago[2] as keyof typeof UNITS];
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(time)) {
    throw new InvalidArgumentError(
      "expected how long ago, such as 30s, 10m, 2h or 7d, or a time such as 2026-11-23T09:30Z",
    );
  }
  return time;
}
