import { setMaxListeners } from "node:events";
import { Command, CommanderError, Option } from "commander";
import { MinilakeError } from "../errors.ts";
import { Output } from "../ui/output.ts";
import { COMMAND_GROUPS } from "./commands.ts";
import type { CommandContext } from "./context.ts";
import { REPORT_GROUP } from "./options.ts";
import { version } from "./version.ts";

/** The only place that reads argv, listens to signals and sets the exit code. */
export async function runProcess(): Promise<void> {
  const { stdout, stderr } = process;
  const output = new Output({ stdout, stderr, environment: process.env });
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      output.close(stream);
      if (error.code === "EPIPE") return;
      output.note(`✖ What was to be printed cannot be written: ${error.message}`);
      process.exit(1);
    });
  }
  const interruption = new AbortController();
  // Requests that are under way listen, and there may be many.
  setMaxListeners(0, interruption.signal);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      // The second time, or when nothing comes to rest: every command leaves a state that can be taken up again.
      if (interruption.signal.aborted) process.exit(130);
      interruption.abort(new MinilakeError("Interrupted", "Interrupted.", { hint: AGAIN }));
      setTimeout(() => process.exit(130), GRACE_MS).unref();
    });
  }
  const context: CommandContext = {
    output,
    environment: process.env,
    cwd: process.cwd(),
    get stdin() {
      return process.stdin;
    },
    signal: interruption.signal,
    exitCode: 0,
  };
  process.exitCode = await main(process.argv.slice(2), context);
  // What has been stopped is done; no idle timer or socket shall keep it alive.
  if (interruption.signal.aborted) process.exit();
}

const GRACE_MS = 5_000;
const AGAIN = "Run the same command again: it goes on where it stopped.";

/** Runs one command line and returns its exit code; never throws. */
export async function main(argv: string[], context: CommandContext): Promise<number> {
  const { output } = context;
  try {
    await createProgram(context).parseAsync(argv.length === 0 ? ["--help"] : argv, { from: "user" });
    return context.exitCode;
  } catch (thrown) {
    const error = explain(thrown, context.signal);
    const answerer = context.answerer ?? "The endpoint";
    if (error === undefined) return 0;
    const { describeError, exitCodeOf, renderError } = await import("../ui/errorReport.ts");
    output.note(renderError(error, await output.colours("stderr"), argv.includes("--verbose"), answerer));
    if (argv.includes("--json")) output.json({ error: describeError(error, answerer) }, true);
    return exitCodeOf(error);
  }
}

/** Undefined for what only looks like an error, as --help does. */
function explain(thrown: unknown, signal: AbortSignal): unknown {
  if (thrown instanceof CommanderError) return usageError(thrown);
  // However a library words it: what fails after Ctrl-C fails because of it.
  return signal.aborted && !(thrown instanceof MinilakeError) ? signal.reason : thrown;
}

export function createProgram(context: CommandContext): Command {
  const { output } = context;
  const program = new Command("minilake")
    .description(
      "A small event-driven data lake from one command: CSV files land in S3, a Lambda curates them\n" +
        "into date partitions, and every row is proved to have arrived.",
    )
    .usage("<command> [options]")
    .addOption(new Option("-V, --version", "print the version"))
    .on("option:version", () => {
      output.print(version());
      throw new CommanderError(0, "commander.version", "");
    })
    .addHelpOption(new Option("-h, --help", "print this help"))
    .addHelpCommand(
      new Command("help").argument("[command]").description("print the help of a command").helpGroup("Help:"),
    )
    .configureHelp({
      helpWidth: 100,
      styleTitle: (title) => `\u001b[1m${title}\u001b[22m`,
      // Defaults and choices stand in the descriptions, in words.
      optionDescription: ({ description }) => description,
      subcommandTerm: (command) =>
        [command.name(), ...command.registeredArguments.map((each) => each.name())].join(" "),
    })
    .configureOutput({
      writeOut: (text) => output.raw("stdout", text),
      writeErr: (text) => output.raw("stderr", text),
      // The problem is reported like every other one, in one place.
      outputError: () => {},
      getOutHasColors: () => output.hasColours("stdout"),
      getErrHasColors: () => output.hasColours("stderr"),
    })
    .exitOverride();
  for (const [heading, commands] of COMMAND_GROUPS) {
    for (const make of commands) {
      const command = make(context).helpGroup(heading);
      settle(command, program, command.name());
      program.addCommand(command);
    }
  }
  return program.addHelpText("after", `\n${START}`);
}

/** What every command has in common, its subcommands included. `name` is what the user typed, such as "quarantine list". */
function settle(command: Command, parent: Command, name: string): void {
  command
    .copyInheritedSettings(parent)
    .addHelpOption(new Option("-h, --help", "print this help").helpGroup(REPORT_GROUP))
    .exitOverride((error) => fail(error, name));
  for (const each of command.commands) settle(each, command, `${name} ${each.name()}`);
}

const START = `Start here:
  minilake demo                                  see it all in a few seconds
  minilake up                                    make a lake in this folder
  minilake ingest sample_data/transactions.csv   feed it
  minilake verify                                prove that every row arrived
  minilake help up                               more about a command`;

interface UsageFailure extends CommanderError {
  commandName?: string;
}

function fail(error: CommanderError, commandName: string): never {
  throw Object.assign(error, { commandName });
}

/** Commander's message in our words. */
function usageError(error: UsageFailure): MinilakeError | undefined {
  if (error.exitCode === 0) return undefined;
  const [first = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const name = error.commandName ? `minilake ${error.commandName}` : "minilake";
  const similar = suggestion && /\(Did you mean (.*)\?\)/.exec(suggestion)?.[1];
  // "option '--port <number>' argument 'abc' is invalid. a port is …" -> "--port abc: a port is …"
  const what = first.replace(/^option '(?:-\w, )?(--[\w-]+).*?' argument '(.*)' is invalid\. (.*)$/, "$1 $2: $3");
  return new MinilakeError("Usage", `${name}: ${what}${/[.!?]$/.test(what) ? "" : "."}`, {
    hint: `${similar ? `Did you mean ${similar}? ` : ""}See: ${name} --help`,
  });
}
