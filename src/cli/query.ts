import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { QUERY_CACHE } from "../backends/session.ts";
import { MinilakeError } from "../errors.ts";
import { type LakeQuery, openLakeQuery, type QueryResult } from "../query/index.ts";
import { formatBytes, formatCount } from "../ui/format.ts";
import type { CommandContext } from "./context.ts";
import { choosePlace, type OpenLake, withLake } from "./lake.ts";
import type { LakeOptions } from "./options.ts";
import { answerDotCommand, runPrompt } from "./queryPrompt.ts";
import { describeReads, type QueryFormat, writeResult } from "./queryReport.ts";

export interface QueryOptions extends LakeOptions {
  csv?: boolean;
  parquet?: string;
  chart?: boolean;
}

/** sql   undefined: a prompt in a terminal, else what standard input holds */
export async function runQuery(context: CommandContext, sql: string | undefined, options: QueryOptions): Promise<void> {
  const { output } = context;
  const format = formatOf(options);
  const place = choosePlace(context, options);
  const prompt = sql === undefined && isInteractive(context);
  const asked = sql ?? (prompt ? "" : await readAll(context.stdin));
  if (!prompt && asked.trim() === "") {
    throw new MinilakeError("Usage", "minilake query: there is no SQL.", {
      hint: `Give it, as in: minilake query "select dt_reference, count(*) from curated group by 1"`,
    });
  }
  await withLake(context, place, { doing: "Opening the lake", json: options.json ?? false }, async (lake) => {
    const query = await openQuery(context, lake);
    try {
      if (prompt) {
        lake.steps.stop();
        return await runPrompt(context, lake, query, format);
      }
      const dotted = await answerDotCommand(context, lake, query, asked);
      if (dotted) return;
      lake.steps.update("Running the query");
      if (options.parquet !== undefined) {
        const { rows, reads } = await query.writeParquet(asked, options.parquet);
        lake.steps.stop();
        if (options.json) return output.json({ file: options.parquet, rows, reads });
        output.note(`✔ ${formatCount(rows)} rows written to ${options.parquet}`);
        return output.note(`  ${describeReads(reads)}`);
      }
      const result = await query.run(asked);
      lake.steps.stop();
      await writeResult(context, result, format);
      tellReads(context, result, format);
    } finally {
      query.close();
    }
  });
}

export function openQuery(
  context: CommandContext,
  { clients, definition, dataDir, steps }: OpenLake,
): Promise<LakeQuery> {
  return clients.s3().then((s3) =>
    openLakeQuery({
      s3,
      definition,
      cacheFolder: join(dataDir, QUERY_CACHE),
      signal: context.signal,
      onProgress: (table, { objectsDone, objectsTotal, bytesDone, bytesTotal }) =>
        steps.update(
          `Fetching ${table}: ${formatCount(objectsDone)} of ${formatCount(objectsTotal)} objects, ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`,
        ),
    }),
  );
}

/** What was read stands in the JSON itself; beside a table and CSV it is told on stderr. */
export function tellReads({ output }: CommandContext, { reads }: QueryResult, format: QueryFormat): void {
  if (format !== "json" && reads.length > 0) output.note(`  ${describeReads(reads)}`);
}

function formatOf({ csv, json, chart, parquet }: QueryOptions): QueryFormat {
  const asked = [csv && "--csv", json && parquet === undefined && "--json", chart && "--chart"].filter(Boolean);
  if (asked.length > 1 || (parquet !== undefined && (csv || chart))) {
    throw new MinilakeError("Usage", "minilake query: the result has one form.", {
      hint: "Give one of --csv, --json, --parquet FILE, --chart; without any it is a table.",
    });
  }
  return csv ? "csv" : json ? "json" : chart ? "chart" : "table";
}

function isInteractive({ stdin, output }: CommandContext): boolean {
  return (stdin as { isTTY?: boolean }).isTTY === true && output.isTerminal("stdout");
}
