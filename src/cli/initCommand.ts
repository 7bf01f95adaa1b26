import { Command, InvalidArgumentError, Option } from "commander";
import type { CommandContext } from "./context.ts";
import { addExamples, addReportOptions } from "./options.ts";

export function initCommand(context: CommandContext): Command {
  const command = new Command("init")
    .summary("write minilake.yaml, and a contract guessed from a file")
    .description(
      "Writes a minilake.yaml in which every setting is explained. With a CSV file it reads the file too\n" +
        "and writes the data contract that it suggests: types, formats, what is required, with a comment\n" +
        "at every guess. Nothing is sent anywhere.",
    )
    .argument("[file]", "CSV file to guess the contract from, plain or .gz")
    .addOption(
      new Option("--partition-column <name>", "the column of dates that rows are stored by, when there are several"),
    )
    .addOption(
      new Option("--date-order <order>", "day-first or month-first, where 03/04 can be read either way").argParser(
        parseDateOrder,
      ),
    )
    .addOption(new Option("--no-header", "the file has no header: its columns are numbered"))
    .addOption(new Option("--lake <name>", "name of the lake (default: from the file's name)"))
    .addOption(new Option("--force", "overwrite files that are there already"))
    .addOption(new Option("--dry-run", "print what would be written, and write nothing"))
    .action(async (file, options) => (await import("./init.ts")).runInit(context, file, options));
  return addExamples(addReportOptions(command), [
    ["minilake init", "a minilake.yaml with every setting explained"],
    ["minilake init sample_data/transactions.csv", "and a contract for the file"],
    ["minilake init drop.csv --dry-run", "only look"],
    ["minilake init drop.csv --partition-column shipped", "without a question, as in a script"],
  ]);
}

function parseDateOrder(text: string): "day-first" | "month-first" {
  if (text === "day-first" || text === "month-first") return text;
  throw new InvalidArgumentError("expected day-first or month-first");
}
