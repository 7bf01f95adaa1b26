import { Command, Option } from "commander";
import type { CommandContext } from "./context.ts";
import { addExamples, addLakeOptions } from "./options.ts";
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
