import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { QUERY_HISTORY } from "../backends/session.ts";
import { MinilakeError } from "../errors.ts";
import type { LakeQuery } from "../query/index.ts";
import { TABLES, tablesOf } from "../query/index.ts";
import { renderError } from "../ui/errorReport.ts";
import { renderTable } from "../ui/table.ts";
import type { CommandContext } from "./context.ts";
import type { OpenLake } from "./lake.ts";
import { describeReads, type QueryFormat, writeResult } from "./queryReport.ts";

const HELP = `  SQL may take several lines; a semicolon ends it.
  .tables          the lake's tables
  .schema [TABLE]  columns and their types
  .help            this
  .quit            or Ctrl-D`;

const HISTORY_LINES = 1_000;

/** Asks for one statement after the other until Ctrl-D. Ctrl-C drops what was typed. */
export async function runPrompt(
  context: CommandContext,
  lake: OpenLake,
  query: LakeQuery,
  format: QueryFormat,
): Promise<void> {
  const { output } = context;
  const historyFile = join(lake.dataDir, QUERY_HISTORY);
  const prompt = createInterface({
    input: context.stdin,
    output: process.stdout,
    prompt: "lake> ",
    history: readHistory(historyFile),
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
    terminal: true,
  });
  prompt.on("history", (history) => writeHistory(historyFile, history));
  output.note(`SQL over the lake ${lake.definition.name}. .tables shows what is there, .help the rest.`);
  let typed = "";
  prompt.on("SIGINT", () => {
    typed = "";
    process.stdout.write("\n");
    prompt.setPrompt("lake> ");
    prompt.prompt();
  });
  prompt.prompt();
  for await (const line of prompt) {
    typed = typed === "" ? line : `${typed}\n${line}`;
    const whole = typed.trim();
    if (whole === ".quit" || whole === ".exit") break;
    const complete = whole === "" || whole.startsWith(".") || whole.endsWith(";");
    if (complete) {
      typed = "";
      if (whole !== "") await answer(context, lake, query, whole, format);
    }
    prompt.setPrompt(typed === "" ? "lake> " : "  ... ");
    prompt.prompt();
  }
  prompt.close();
}

async function answer(
  context: CommandContext,
  lake: OpenLake,
  query: LakeQuery,
  text: string,
  format: QueryFormat,
): Promise<void> {
  const { output } = context;
  try {
    if (await answerDotCommand(context, lake, query, text)) return;
    lake.steps.update("Running the query");
    const result = await query.run(text);
    lake.steps.stop();
    await writeResult(context, result, format);
    if (result.reads.length > 0) output.note(describeReads(result.reads));
  } catch (error) {
    lake.steps.stop();
    output.note(renderError(error, await output.colours("stderr"), false, context.answerer ?? "The endpoint"));
  }
}

/** False when the text is no such command. */
export async function answerDotCommand(
  context: CommandContext,
  lake: OpenLake,
  query: LakeQuery,
  text: string,
): Promise<boolean> {
  const { output } = context;
  const [command, table] = text.trim().replace(/;$/, "").split(/\s+/);
  if (!command?.startsWith(".")) return false;
  lake.steps.stop();
  const tables = tablesOf(lake.definition);
  if (command === ".tables") {
    output.print(
      renderTable(
        [{ title: "table" }, { title: "what a row is" }],
        tables.map((name) => [name, TABLES[name]]),
        { indent: 0 },
      ),
    );
  } else if (command === ".schema") {
    const wanted = table === undefined ? tables : tables.filter((name) => name === table.toLowerCase());
    if (wanted.length === 0) {
      throw new MinilakeError("Usage", `There is no table ${table}.`, {
        hint: `The lake's tables: ${tables.join(", ")}.`,
      });
    }
    for (const name of wanted) {
      const { rows } = await query.run(`DESCRIBE ${name}`);
      output.print(`${name}`);
      const lines: string[][] = [];
      for await (const chunk of rows) for (const [column, type] of chunk) lines.push([column ?? "", type ?? ""]);
      output.print(renderTable([{ title: "column" }, { title: "type" }], lines));
      output.print();
    }
  } else {
    output.note(command === ".help" ? HELP : `There is no ${command}.\n${HELP}`);
  }
  return true;
}

function readHistory(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

function writeHistory(file: string, history: string[]): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${history.join("\n")}\n`, { mode: 0o600 });
  } catch {
    // Without it the prompt works all the same.
  }
}
