/** Offset of an IANA zone from UTC at an instant, in seconds; the instant in milliseconds since 1970 UTC. */
type OffsetAt = (instantMs: number) => number;

export interface Zone {
  /**
   * Offset in seconds of a local time, given as if it were UTC; of two the one that comes earlier, undefined when the
   * zone skips the time.
   */
  offsetOfLocal(localMs: number): number | undefined;
}

const DAY_MS = 86_400_000;

export function zoneNamed(timezone: string): Zone {
  const offsetAt = offsets(timezone);
  return {
    offsetOfLocal(localMs) {
      // No zone changes its offset twice within two days and is a day apart from UTC at most.
      const candidates = [offsetAt(localMs - DAY_MS), offsetAt(localMs + DAY_MS)];
      const right = candidates.filter((offset) => offsetAt(localMs - offset * 1_000) === offset);
      // The larger offset is the earlier instant.
      return right.length === 0 ? undefined : Math.max(...right);
    },
  };
}

function offsets(timezone: string): OffsetAt {
  if (timezone === "UTC") return () => 0;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    era: "short",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const known = new Map<number, number>();
  const computed = (instantMs: number): number => {
    const parts = Object.fromEntries(format.formatToParts(instantMs).map(({ type, value }) => [type, value]));
    const field = (name: string): number => Number(parts[name]);
    const year = parts.era === "BC" ? 1 - field("year") : field("year");
    const local = utcMs(year, field("month"), field("day"), field("hour"), field("minute"), field("second"));
    return Math.round((local - Math.floor(instantMs / 1_000) * 1_000) / 1_000);
  };
  return (instantMs) => {
    // Zones change at full minutes; a quarter of an hour is kept when both of its ends agree.
    const quarter = Math.floor(instantMs / 900_000);
    const kept = known.get(quarter);
    if (kept !== undefined) return kept;
    const first = computed(quarter * 900_000);
    if (first !== computed(quarter * 900_000 + 899_000)) return computed(instantMs);
    if (known.size >= 100_000) known.clear();
    known.set(quarter, first);
    return first;
  };
}

/** Date.UTC, but years below 100 are those years. */
export function utcMs(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number {
  const cycles = Math.floor((year - 2_000) / 400);
  return Date.UTC(year - cycles * 400, month - 1, day, hour, minute, second) + cycles * 146_097 * DAY_MS;
}
