import { Command, Option } from "commander";
import type { CommandContext } from "./context.ts";
import { addExamples, addLakeOptions } from "./options.ts";
import { parseSince } from "./parseSince.ts";

/** Commands that show what the functions do, as data; see commands.ts. */
export function logsCommand(context: CommandContext): Command {
  const command = new Command("logs")
    .summary("what the functions wrote")
    .description(
      "Prints what the functions wrote to CloudWatch Logs: what each file came to, and what failed.\n" +
        "Lambda's own lines around each run are printed with --verbose.",
    )
    .argument("[stage]", "only this stage: validate or curate")
    .addOption(new Option("--follow", "go on printing what comes, until Ctrl-C"))
    .addOption(
      new Option("--since <time>", "from then on: 30s, 10m, 2h, 7d or a time (default: 10m)").argParser(parseSince),
    )
    .addOption(new Option("--errors", "only what failed"))
    .addOption(new Option("--request <id>", "everything about one run, by its request id"))
    .action(async (stage, options) => (await import("./logs.ts")).runLogs(context, stage, options));
  return addExamples(addLakeOptions(command), [
    ["minilake logs --follow", "as it happens"],
    ["minilake logs curate --errors --since 24h", "what failed since yesterday"],
    ["minilake logs --since 1h --json | jq .record", "for a program, one line of JSON each"],
  ]);
}

export function metricsCommand(context: CommandContext): Command {
  const command = new Command("metrics")
    .summary("runs, errors, durations, memory, rows, lag")
    .description(
      "Shows what the functions did, from CloudWatch metrics: how often they ran and failed, how long they\n" +
        "took, how many rows they read and rejected, and how far they are behind the events.",
    )
    .argument("[stage]", "only this stage: validate or curate")
    .addOption(
      new Option("--since <time>", "from then on: 30s, 10m, 2h, 7d or a time (default: 1h)").argParser(parseSince),
    )
    .action(async (stage, options) => (await import("./metrics.ts")).runMetrics(context, stage, options));
  return addExamples(addLakeOptions(command), [
    ["minilake metrics", "the last hour"],
    ["minilake metrics --since 7d", "the last week"],
  ]);
}

export function explainCommand(context: CommandContext): Command {
  const command = new Command("explain")
    .summary("where a file or a row went, and why")
    .description(
      "Says what became of a file, stage by stage: how it was read, what each stage made of it, where its\n" +
        "rows are. With a line, where that row went: the object and line that it is in, or the rule it broke.",
    )
    .argument("<place>", "a raw object's key, or KEY:LINE with a line of it, the header being one")
    .action(async (place, options) => (await import("./explain.ts")).runExplain(context, place, options));
  return addExamples(addLakeOptions(command), [
    ["minilake explain transactions.csv", "what became of a file"],
    ["minilake explain transactions.csv:363", "where line 363 went, and why"],
  ]);
}
