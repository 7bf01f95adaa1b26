import { type Command, InvalidArgumentError, Option } from "commander";

/** What every command that works on a lake takes. Absent: environment, then minilake.yaml, then defaults. */
export interface LakeOptions extends ReportOptions {
  backend?: "embedded" | "localstack" | "aws";
  endpointUrl?: string;
  region?: string;
  profile?: string;
  config?: string;
  dataDir?: string;
  port?: number;
}

export interface ReportOptions {
  json?: boolean;
  verbose?: boolean;
}

/** How the embedded endpoint behaves; `up` passes them on when it starts one. */
export interface EndpointOptions {
  strict?: boolean;
  awsTiming?: boolean;
  concurrency?: number;
  faults?: string;
}

const WHICH = "Which lake:";
export const REPORT_GROUP = "Output:";

export function addLakeOptions(command: Command): Command {
  return addReportOptions(
    command
      .addOption(
        new Option("--backend <name>", "where the lake lives (default: embedded)")
          .choices(["embedded", "localstack", "aws"])
          .helpGroup(WHICH),
      )
      .addOption(
        new Option("--endpoint-url <url>", "any other AWS-compatible endpoint").argParser(parseUrl).helpGroup(WHICH),
      )
      .addOption(new Option("--region <name>", "AWS region (default: us-east-1)").helpGroup(WHICH))
      .addOption(new Option("--profile <name>", "profile of the AWS configuration").helpGroup(WHICH))
      .addOption(new Option("--config <file>", "the lake's definition (default: minilake.yaml)").helpGroup(WHICH))
      .addOption(
        new Option("--data-dir <folder>", "data of the embedded endpoint (default: .minilake)").helpGroup(WHICH),
      )
      .addOption(
        new Option("--port <number>", "port of the embedded endpoint (default: 4566)")
          .argParser(parsePort)
          .helpGroup(WHICH),
      ),
  );
}

/** Last of all, so that every help ends the same way. */
export function addReportOptions(command: Command): Command {
  return command
    .addOption(new Option("--json", "print the result as JSON, and nothing else, on stdout").helpGroup(REPORT_GROUP))
    .addOption(new Option("--verbose", "print more, and the stack of an error").helpGroup(REPORT_GROUP));
}

export function addEndpointOptions(command: Command): Command {
  const group = "Embedded endpoint:";
  return command
    .addOption(new Option("--strict", "accept issued keys alone, not test/test").helpGroup(group))
    .addOption(
      new Option("--aws-timing", "wait as long as AWS between tries of a function: 1 and 2 minutes").helpGroup(group),
    )
    .addOption(
      new Option("--concurrency <count>", "most function environments at a time (default: 4)")
        .argParser(parseCount)
        .helpGroup(group),
    )
    .addOption(
      new Option("--faults <list>", "misbehave on purpose, such as seed=7,duplicate=0.2,drop=0.1").helpGroup(group),
    );
}

/** "Examples:" under the help, each a command line and what it is for. */
export function addExamples(command: Command, examples: [line: string, what: string][]): Command {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`.trimEnd());
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n")}\n`);
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

function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new InvalidArgumentError("expected a URL such as http://localhost:4566");
  }
  return text.replace(/\/+$/, "");
}
