import { InvalidArgumentError } from "commander";

const BACKENDS = ["embedded", "localstack", "aws"] as const;

export function parseBackend(text: string): (typeof BACKENDS)[number] {
  const backend = BACKENDS.find((name) => name === text);
  if (!backend) throw new InvalidArgumentError("a backend is embedded, localstack or aws");
  return backend;
}

export function parsePort(text: string): number {
  return parseInteger(text, 1, 65_535, "a port is a whole number from 1 to 65535");
}

/** 0 takes any free port. */
export function parsePortOrAny(text: string): number {
  return parseInteger(text, 0, 65_535, "a port is a whole number from 0 (any free one) to 65535");
}

export function parseCount(text: string): number {
  return parseInteger(text, 1, 10_000, "expected a whole number from 1 to 10000");
}

/** "90", "90s", "5m", "1h" or "500ms" in milliseconds; a bare number is seconds. */
export function parseTimeout(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const factor = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match?.[2] ?? "s"]!;
  const milliseconds = match ? Math.round(Number(match[1]) * factor) : Number.NaN;
  if (!(milliseconds >= 0 && milliseconds <= 7 * 24 * 3_600_000)) {
    throw new InvalidArgumentError("expected a duration such as 30s, 5m or 1h, of 7 days at most");
  }
  return milliseconds;
}

function parseInteger(text: string, from: number, to: number, expected: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= from && value <= to)) throw new InvalidArgumentError(expected);
  return value;
}

export function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new InvalidArgumentError("expected a URL such as http://localhost:4566");
  }
  return text.replace(/\/+$/, "");
}
