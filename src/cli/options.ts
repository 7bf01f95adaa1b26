import { type Command, Option } from "commander";
import { parseBackend, parseCount, parsePort, parseUrl } from "./parseOption.ts";

/** What every command that works on a lake takes. Absent: environment, then minilake.yaml, then defaults. */
export interface LakeOptions extends ReportOptions {
  lake?: string;
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
        new Option("--backend <name>", "embedded, localstack or aws (default: embedded)")
          .argParser(parseBackend)
          .helpGroup(WHICH),
      )
      .addOption(
        new Option("--endpoint-url <url>", "any other AWS-compatible endpoint").argParser(parseUrl).helpGroup(WHICH),
      )
      .addOption(new Option("--lake <name>", "its name, a part of all names (default: transactions)").helpGroup(WHICH))
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
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}
