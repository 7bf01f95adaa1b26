import { Command, Option } from "commander";
import type { CommandContext } from "./context.ts";
import { addExamples, addLakeOptions, REPORT_GROUP } from "./options.ts";
import { parseCount, parseTimeout } from "./parseOption.ts";

/** Commands that put a lake right, as data; see commands.ts. */
export function reconcileCommand(context: CommandContext): Command {
  const command = new Command("reconcile")
    .summary("find files whose events were lost, and process them")
    .description(
      "Finds source objects without an up-to-date receipt: their event was lost, or their receipt was made by\n" +
        "older code or another contract. Sends their events again and waits. It can be run again at any time.",
    )
    .argument("[keys...]", "source objects to look at (default: all of them)")
    .addOption(new Option("--stage <name>", "only this stage: validate or curate"))
    .addOption(new Option("--all", "process everything again, up to date or not"))
    .addOption(new Option("--dry-run", "only print what would be done"))
    .addOption(
      new Option("--timeout <time>", "wait this long for the lake's answer (default: 15m)").argParser(parseTimeout),
    )
    .addOption(new Option("--concurrency <count>", "files at a time (default: 16)").argParser(parseCount))
    .action(async (keys, options) => (await import("./reconcile.ts")).runReconcile(context, keys, options));
  return addExamples(addLakeOptions(command), [
    ["minilake reconcile --dry-run", "what has no up-to-date receipt, and why"],
    ["minilake reconcile", "process it"],
    ["minilake reconcile --all", "process every file again"],
  ]);
}

export function quarantineCommand(context: CommandContext): Command {
  const list = new Command("list")
    .summary("files with rejected rows, and why")
    .description("Lists the files of which rows are in quarantine, with the rules that the rows broke.")
    .argument("[keys...]", "source objects to look at (default: all of them)")
    .addOption(new Option("--stage <name>", "only this stage: validate or curate"))
    .addOption(new Option("--rule <name>", "only files with rows that broke this rule"))
    .action(async (keys, options) => (await import("./quarantine.ts")).runQuarantineList(context, keys, options));
  const show = new Command("show")
    .summary("rejected rows, each with its line, column, rule and message")
    .description("Shows the rejected rows of files: line, column, rule, what is wrong, and the row as it was.")
    .argument("<keys...>", "source objects")
    .addOption(new Option("--stage <name>", "only this stage: validate or curate"))
    .addOption(new Option("--rule <name>", "only rows that broke this rule"))
    .addOption(
      new Option("--limit <count>", "rows of each file (default: 20; with --csv or --json all)").argParser(parseCount),
    )
    .addOption(new Option("--csv", "print the records as CSV, on stdout").helpGroup(REPORT_GROUP))
    .action(async (keys, options) => (await import("./quarantine.ts")).runQuarantineShow(context, keys, options));
  const replay = new Command("replay")
    .summary("process these files again, after a change")
    .description(
      "Processes files again that have rejected rows, and says how many rows moved into the lake.\n" +
        "For after a change of the contract or of the settings. It can be run again at any time.",
    )
    .argument("[keys...]", "source objects (default: all that have rejected rows)")
    .addOption(new Option("--stage <name>", "only this stage: validate or curate"))
    .addOption(new Option("--rule <name>", "only files with rows that broke this rule"))
    .addOption(
      new Option("--timeout <time>", "wait this long for the lake's answer (default: 15m)").argParser(parseTimeout),
    )
    .addOption(new Option("--concurrency <count>", "files at a time (default: 16)").argParser(parseCount))
    .action(async (keys, options) => (await import("./quarantine.ts")).runQuarantineReplay(context, keys, options));
  const command = new Command("quarantine")
    .summary("rejected rows: list them, show why, replay")
    .description("Shows what is in quarantine and why, and processes it again after a change.")
    .helpCommand(false)
    .addCommand(
      addExamples(addLakeOptions(list), [["minilake quarantine list --rule ragged-row", "where rows are ragged"]]),
      { isDefault: true },
    )
    .addCommand(
      addExamples(addLakeOptions(show), [
        ["minilake quarantine show transactions.csv", "the first rows, and what is wrong"],
        ["minilake quarantine show transactions.csv --csv > rejects.csv", "all of them"],
      ]),
    )
    .addCommand(
      addExamples(addLakeOptions(replay), [
        ["minilake quarantine replay", "after a change of the contract, and minilake up"],
        ["minilake quarantine replay --rule partition-date", "files whose dates were refused"],
      ]),
    );
  return addExamples(command, [
    ["minilake quarantine", "what is there"],
    ["minilake quarantine show transactions.csv", "the rows, and what is wrong with them"],
    ["minilake quarantine replay", "again, after a change of the contract and minilake up"],
  ]);
}

export function dlqCommand(context: CommandContext): Command {
  const list = new Command("list")
    .summary("events that a function gave up on")
    .description(
      "Lists the messages in the dead-letter queue: events that a function gave up on after its tries.\n" +
        "They are looked at and put back.",
    )
    .argument("[keys...]", "only events about these source objects")
    .action(async (keys, options) => (await import("./dlq.ts")).runDlqList(context, keys, options));
  const why = new Command("why")
    .summary("what went wrong with each, with the log of its run")
    .description("Shows of each event what it is about, the error, and what its run wrote to the log.")
    .argument("[keys...]", "only events about these source objects")
    .action(async (keys, options) => (await import("./dlq.ts")).runDlqWhy(context, keys, options));
  const replay = new Command("replay")
    .summary("send them again, and take out what is done")
    .description(
      "Sends the events again and waits. Each message is taken out of the queue once its file is in the\n" +
        "lake; what fails again stays. It can be run again at any time.",
    )
    .argument("[keys...]", "only events about these source objects")
    .addOption(
      new Option("--timeout <time>", "wait this long for the lake's answer (default: 15m)").argParser(parseTimeout),
    )
    .addOption(new Option("--concurrency <count>", "files at a time (default: 16)").argParser(parseCount))
    .action(async (keys, options) => (await import("./dlq.ts")).runDlqReplay(context, keys, options));
  const purge = new Command("purge")
    .summary("delete them all")
    .description("Deletes all messages in the dead-letter queue. The files they are about stay as they are.")
    .addOption(new Option("--yes", "do not ask before deleting"))
    .action(async (options) => (await import("./dlq.ts")).runDlqPurge(context, options));
  const command = new Command("dlq")
    .summary("dead letters: list them, show why, replay, purge")
    .description("Shows the events that a function gave up on, and why, and sends them again.")
    .helpCommand(false)
    .addCommand(addExamples(addLakeOptions(list), [["minilake dlq list", "all of them"]]), { isDefault: true })
    .addCommand(addExamples(addLakeOptions(why), [["minilake dlq why transactions.csv", "what happened to one file"]]))
    .addCommand(addExamples(addLakeOptions(replay), [["minilake dlq replay", "after what was wrong has been mended"]]))
    .addCommand(addExamples(addLakeOptions(purge), [["minilake dlq purge --yes", "in a script"]]));
  return addExamples(command, [
    ["minilake dlq", "what is there"],
    ["minilake dlq why", "the error and the log of each"],
    ["minilake dlq replay", "again, after what was wrong has been mended"],
  ]);
}
