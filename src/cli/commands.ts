import { Command, Option } from "commander";
import type { CommandContext } from "./context.ts";
import { initCommand } from "./initCommand.ts";
import { dlqCommand, quarantineCommand, reconcileCommand } from "./mendCommands.ts";
import { addEndpointOptions, addExamples, addLakeOptions, addReportOptions } from "./options.ts";
import { parseCount, parsePortOrAny, parseTimeout } from "./parseOption.ts";
import { parseSince } from "./parseSince.ts";
import { explainCommand, logsCommand, metricsCommand } from "./watchCommands.ts";

/**
 * Every command as data: purpose, options, examples. What a command does is in the file of its name, which is loaded
 * when it is called: `minilake --help` loads none of them.
 */
export const COMMAND_GROUPS: [heading: string, commands: ((context: CommandContext) => Command)[]][] = [
  ["See it:", [demoCommand]],
  ["Make and feed a lake:", [initCommand, planCommand, upCommand, ingestCommand]],
  ["Look and prove:", [statusCommand, queryCommand, verifyCommand, explainCommand, logsCommand, metricsCommand]],
  ["Mend:", [quarantineCommand, dlqCommand, reconcileCommand]],
  ["Take it away:", [downCommand]],
  ["For other programs:", [emulatorCommand, graphCommand, completionCommand, doctorCommand]],
];

function demoCommand(context: CommandContext): Command {
  const command = new Command("demo")
    .summary("the whole life of a lake in a few seconds; leaves nothing")
    .description(
      "Makes a lake on a throw-away endpoint, feeds it the sample files, shows what came of each row,\n" +
        "proves it, and takes everything away again: no process, no port, no folder stays behind.",
    )
    .action(async (options) => (await import("./demo.ts")).runDemo(context, options));
  return addExamples(addReportOptions(command), [["minilake demo", "needs nothing, leaves nothing"]]);
}

function planCommand(context: CommandContext): Command {
  const command = new Command("plan")
    .summary("what up would create and change")
    .description("Shows what `minilake up` would create, change and leave as it is. It changes nothing.")
    .addOption(new Option("--detailed-exitcode", "exit with 2 when something would change, with 0 when nothing would"))
    .addOption(new Option("--prune", "as `up --prune` would"))
    .action(async (options) => (await import("./plan.ts")).runPlan(context, options));
  return addExamples(addLakeOptions(command), [
    ["minilake plan", "on the embedded endpoint"],
    ["minilake plan --backend aws --detailed-exitcode", "in CI: 0 no change, 1 failed, 2 changes"],
  ]);
}

function upCommand(context: CommandContext): Command {
  const command = new Command("up")
    .summary("make the lake, or bring it to its definition")
    .description(
      "Brings the lake to its definition: makes what is missing, repairs what was changed, leaves the\n" +
        "rest alone. Starts the embedded endpoint when the lake lives there. Run it again at any time.",
    )
    .addOption(new Option("--yes", "do not ask before making things on AWS"))
    .addOption(new Option("--prune", "also remove data that the definition has no place for any more"))
    .action(async (options) => (await import("./up.ts")).runUp(context, options));
  return addExamples(addLakeOptions(addEndpointOptions(command)), [
    ["minilake up", "on the embedded endpoint, port 4566"],
    ["minilake up --port 4570", "on another port"],
    ["minilake up --endpoint-url http://localhost:5000", "on an endpoint that runs already"],
    ["minilake up --backend aws --profile work", "on AWS; says what it will do and asks"],
  ]);
}

function ingestCommand(context: CommandContext): Command {
  const command = new Command("ingest")
    .summary("put files into the lake and say what became of each row")
    .description(
      "Uploads files to the raw bucket, waits until the lake has answered for each of them, and prints\n" +
        "what became of their rows. Rejected rows are an outcome, not an error: they are in quarantine.",
    )
    .argument("[files...]", "files, folders or globs; - reads standard input")
    .addOption(new Option("--key <key>", "key of the object in the raw bucket, for one file or -"))
    .addOption(new Option("--prefix <text>", "put this before the key of every file, such as 2026/"))
    .addOption(new Option("--explain", "print what was detected in each file, and why"))
    .addOption(new Option("--again", "upload what the lake has already with the same content, too"))
    .addOption(new Option("--dry-run", "show what would be uploaded, and upload nothing"))
    .addOption(new Option("--watch <folder>", "ingest files of a folder as they become complete, until Ctrl-C"))
    .addOption(new Option("--junit <file>", "write the outcome of every file as JUnit XML, for CI"))
    .addOption(new Option("--no-wait", "return when the files are uploaded"))
    .addOption(
      new Option("--timeout <time>", "wait this long for the lake's answer (default: 15m)").argParser(parseTimeout),
    )
    .addOption(new Option("--concurrency <count>", "files at a time (default: 16)").argParser(parseCount))
    .action(async (files, options) => (await import("./ingest.ts")).runIngest(context, files, options));
  return addExamples(addLakeOptions(command), [
    ["minilake ingest sample_data/transactions.csv", "one file"],
    ["minilake ingest drops/ --prefix 2026-11/", "every CSV file in a folder"],
    ["minilake ingest 'drops/*.csv.gz' --explain", "a glob; what was detected, and why"],
    ["zcat big.csv.gz | minilake ingest - --key big.csv", "standard input"],
    ["minilake ingest --watch drops/", "files as they come"],
  ]);
}

function statusCommand(context: CommandContext): Command {
  const command = new Command("status")
    .summary("layers, rows, backlog, dead letters")
    .description("Shows what the lake holds, what it has still to do, and what went wrong.")
    .addOption(new Option("--watch", "draw it again and again; without a terminal, a line for each change"))
    .addOption(new Option("--interval <time>", "between two looks with --watch (default: 2s)").argParser(parseTimeout))
    .action(async (options) => (await import("./status.ts")).runStatus(context, options));
  return addExamples(addLakeOptions(command), [
    ["minilake status", "for a person"],
    ["minilake status --watch", "as it changes, until Ctrl-C"],
    ["minilake status --json | jq .stages[].backlog", "for a program"],
  ]);
}

function verifyCommand(context: CommandContext): Command {
  const command = new Command("verify")
    .summary("prove that every row is where it belongs, once")
    .description(
      "Reads the raw objects back, parses them with another parser than the lake's, and compares every\n" +
        "layer, the quarantine and the receipts with what must be there. Exits with 1 when anything is false.",
    )
    .argument("[keys...]", "raw objects to look at (default: all of them)")
    .addOption(new Option("--all", "print every partition, not only the first and last ones"))
    .addOption(new Option("--values", "print the cells of rows that are wrong, not only their lines"))
    .addOption(
      new Option("--since <time>", "only raw objects written since: 10m, 2h, 7d ago, or a time").argParser(parseSince),
    )
    .addOption(new Option("--unique", "exit with 1 when keys that must be unique stand in several files"))
    .addOption(
      new Option(
        "--timeout <time>",
        "bound the whole run (default: none, but 60s of waiting for work under way)",
      ).argParser(parseTimeout),
    )
    .action(async (keys, options) => (await import("./verify.ts")).runVerify(context, keys, options));
  return addExamples(addLakeOptions(command), [
    ["minilake verify", "a table per partition, and the findings"],
    ["minilake verify transactions.csv --values", "one raw object; the cells of wrong rows"],
    ["minilake verify --since 1d", "what came in since yesterday, and what became of it"],
    ["minilake verify --json > report.json", "in CI: the exit code is 1 when something is false"],
  ]);
}

function queryCommand(context: CommandContext): Command {
  const command = new Command("query")
    .summary("ask the lake in SQL")
    .description(
      "Runs one SQL statement with DuckDB over the tables curated, trusted, quarantine, raw and receipts.\n" +
        "A filter on the partition column reads those partitions alone; objects are fetched once and kept.\n" +
        "Without SQL it asks for it in a terminal, and reads it from standard input elsewhere.",
    )
    .argument("[sql]", "one statement; .tables and .schema show what there is")
    .addOption(new Option("--csv", "print the rows as CSV, and nothing else, on stdout"))
    .addOption(new Option("--parquet <file>", "write the rows to a Parquet file"))
    .addOption(new Option("--chart", "draw the last column of numbers as bars"))
    .action(async (sql, options) => (await import("./query.ts")).runQuery(context, sql, options));
  return addExamples(addLakeOptions(command), [
    ["minilake query", "a prompt with a history"],
    ['minilake query "select status, count(*) from curated group by all"', "one question"],
    ['minilake query "select rule, count(*) from quarantine group by 1" --chart', "bars"],
    ['minilake query "from curated" --parquet lake.parquet', "everything in one file"],
  ]);
}

function downCommand(context: CommandContext): Command {
  const command = new Command("down")
    .summary("remove the lake and prove that nothing is left")
    .description(
      "Removes everything that `up` made, the buckets with all their objects included, stops the embedded\n" +
        "endpoint, and looks whether anything is left. It can be run again at any time.",
    )
    .addOption(new Option("--keep-data", "keep the buckets and what is in them"))
    .addOption(new Option("--yes", "do not ask before removing things from AWS"))
    .action(async (options) => (await import("./down.ts")).runDown(context, options));
  return addExamples(addLakeOptions(command), [
    ["minilake down", "every trace"],
    ["minilake down --keep-data", "the buckets stay; minilake up takes them up again"],
  ]);
}

function emulatorCommand(context: CommandContext): Command {
  const command = new Command("emulator")
    .summary("run the embedded AWS endpoint in the foreground")
    .description(
      "Runs the embedded AWS endpoint in the foreground, for the AWS CLI, boto3, Terraform and tests.\n" +
        "It listens on 127.0.0.1 alone, keeps its state in a folder, and stops on Ctrl-C.",
    )
    .addOption(
      new Option("--port <number>", "port to listen on, 0 for any free one (default: 4566)")
        .argParser(parsePortOrAny)
        .default(4566),
    )
    .addOption(new Option("--data-dir <folder>", "where its state is kept (default: .minilake)").default(".minilake"))
    .addOption(new Option("--region <name>", "AWS region that it plays (default: us-east-1)"))
    .addOption(new Option("--account-id <digits>", "AWS account that it plays (default: 000000000000)"))
    .action(async (options) => (await import("./emulator.ts")).runEmulator(context, options));
  return addExamples(addReportOptions(addEndpointOptions(command)), [
    ["minilake emulator", "listen on port 4566"],
    ["minilake emulator --port 0 --json", "any free port; one line of JSON when ready"],
    ["aws --endpoint-url=http://localhost:4566 s3 ls", "use it, from another terminal"],
  ]);
}

function doctorCommand(context: CommandContext): Command {
  const command = new Command("doctor")
    .summary("what is here, what is missing, and what to do")
    .description(
      "Looks at what a lake here needs: Node, the definition, the endpoint or the credentials and their\n" +
        "permissions, ports, Docker. It changes nothing, and exits with 1 when something has to be mended.",
    )
    .action(async (options) => (await import("./doctor.ts")).runDoctor(context, options));
  return addExamples(addLakeOptions(command), [
    ["minilake doctor", "for the embedded endpoint"],
    ["minilake doctor --backend aws --profile work", "credentials, region, permissions"],
  ]);
}

function graphCommand(context: CommandContext): Command {
  const command = new Command("graph")
    .summary("draw the lake as it is defined")
    .description(
      "Draws the lake from its definition: buckets, functions, what starts them, and what their policies let\n" +
        "them write. Mermaid, which GitHub shows as a drawing, or SVG. Nothing has to be up.",
    )
    .addOption(new Option("--svg", "a drawing in SVG (default: Mermaid)"))
    .addOption(new Option("--output <file>", "write it there; SVG when it ends in .svg"))
    .action(async (options) => (await import("./graph.ts")).runGraph(context, options));
  return addExamples(addLakeOptions(command), [
    ["minilake graph", "Mermaid"],
    ["minilake graph --output lake.svg", "a picture"],
  ]);
}

function completionCommand(context: CommandContext): Command {
  const command = new Command("completion")
    .summary("complete commands and options in your shell")
    .description("Prints a script that makes bash, zsh or fish complete commands, options and file names.")
    .argument("<shell>", "bash, zsh or fish")
    .action(async (shell, _options, self: Command) =>
      (await import("./completion.ts")).runCompletion(context, self.parent!, shell),
    );
  return addExamples(command, [
    ['eval "$(minilake completion bash)"', "in ~/.bashrc"],
    ['eval "$(minilake completion zsh)"', "in ~/.zshrc, after compinit"],
    ["minilake completion fish | source", "in ~/.config/fish/config.fish"],
  ]);
}
