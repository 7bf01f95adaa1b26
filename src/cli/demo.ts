import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import type { ChalkInstance } from "chalk";
import { QUERY_CACHE } from "../backends/session.ts";
import type { ReceiptOutput } from "../contract/receipt.ts";
import { MinilakeError } from "../errors.ts";
import { type IngestOutcome, ingestFiles } from "../lake/ingest.ts";
import { type ListedKey, listKeys } from "../lake/receipts.ts";
import { down, up } from "../lake/reconcile.ts";
import { type RejectRecord, readRejects } from "../lake/rejects.ts";
import { expandSources } from "../lake/sources.ts";
import { packageRoot } from "../packageRoot.ts";
import { type Cell, openLakeQuery, type QueryResult } from "../query/index.ts";
import { formatCount, formatDuration, plural, printable } from "../ui/format.ts";
import { renderTable } from "../ui/table.ts";
import { verifyLake } from "../verify/index.ts";
import type { CommandContext } from "./context.ts";
import { readRefusals } from "./ingest.ts";
import { renderIngest } from "./ingestReport.ts";
import { choosePlace, type OpenLake, withLake } from "./lake.ts";
import type { ReportOptions } from "./options.ts";
import { renderRows } from "./queryReport.ts";
import { countChanges } from "./resourceTable.ts";
import { renderVerify } from "./verifyReport.ts";

const SAMPLES = ["transactions.csv", "transactions-2026-10.csv", "corrections.csv"];
/** One of the files has decimal commas. */
const QUESTION =
  "select currency, count(*) as rows, count(*) filter (status = 'declined') as declined, sum(replace(amount, ',', '.')::decimal(18, 2)) filter (status = 'settled') as settled from curated group by currency order by rows desc";
/** Of everything under the title of a chapter. */
const INDENT = "   ";

/** Everything happens in a temporary folder, on a free port, without the user's environment and files. */
export async function runDemo(context: CommandContext, options: ReportOptions): Promise<void> {
  const { output } = context;
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "minilake-demo-"));
  const inside: CommandContext = { ...context, cwd: folder, environment: {} };
  const place = choosePlace(inside, { backend: "embedded", port: await freePort() });
  const story = new Story(context, await output.colours("stdout"), options.json ?? false);
  let ok = false;
  try {
    story.opening();
    ok = await withLake(inside, place, { doing: "Starting the embedded endpoint", start: true }, (lake) =>
      tellStory(context, lake, story),
    );
  } finally {
    // Whatever happened, Ctrl-C included, nothing stays behind.
    await place.backend.stop().finally(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  }
  const gone = !(await place.backend.isRunning()) && !existsSync(folder);
  if (!ok || !gone) context.exitCode = 1;
  story.ending(gone, performance.now() - started, place.backend.endpoint ?? "");
}

async function tellStory({ signal }: CommandContext, lake: OpenLake, story: Story): Promise<boolean> {
  const { clients, definition, steps, backend } = lake;
  const { raw, curated } = definition.buckets;
  const aws = `aws --endpoint-url=${backend.endpoint}`;
  const s3 = await clients.s3();

  story.chapter("Make a lake", "minilake up");
  const made = await up(clients, definition, { onProgress: lake.onProgress, signal });
  steps.stop();
  story.line(
    `${plural(made.resources.length, "resource")} in ${formatDuration(made.durationMs)}: ${countChanges(made.resources)}`,
  );
  story.line(`${[...new Set(made.resources.map(({ kind }) => kind))].join(", ")}`);
  story.keep("resources", made.resources);

  story.chapter("Feed it three files", `minilake ingest ${SAMPLES.join(" ")}`);
  steps.start("Uploading, and waiting for the receipts");
  const files = SAMPLES.map((name) => join(packageRoot(), "sample_data", name));
  const { sources } = await expandSources(files, { cwd: tmpdir() });
  const fed = await ingestFiles(clients, definition, sources, { signal });
  const refusals = await readRefusals(s3, fed.outcomes);
  steps.stop();
  const report = { outcomes: fed.outcomes, refusals, durationMs: fed.durationMs, buckets: definition.buckets };
  story.block(renderIngest(report, story.colours, story.width));
  story.keep("outcomes", fed.outcomes);

  story.chapter("Each row is in the partition of its day", `${aws} s3 ls s3://${curated}/ --recursive`);
  const before = await listAll(s3, curated);
  story.listing(before);

  story.chapter(
    "Or in quarantine, with the reason",
    `${aws} s3 cp s3://${definition.buckets.quarantine}/curate/${SAMPLES[0]}.rejects.csv -`,
  );
  story.rejects(await oneRejectPerRule(s3, fed.outcomes));

  story.chapter("The same file again changes nothing", `${aws} s3 cp sample_data/${SAMPLES[0]} s3://${raw}/`);
  steps.start("Uploading it again");
  const again = await ingestFiles(
    clients,
    definition,
    sources.filter(({ key }) => key === SAMPLES[0]),
    { signal },
  );
  const after = await listAll(s3, curated);
  steps.stop();
  const same = again.ok && sameObjects(before, after);
  story.verdict(same, `a second event, and ${plural(after.length, "object")} as before, byte for byte`);

  story.chapter("Prove it: recompute everything from raw, with another parser", "minilake verify");
  steps.start("Comparing rows");
  const verified = await verifyLake({ s3, sqs: await clients.sqs(), definition, signal });
  steps.stop();
  story.block(renderVerify(verified, story.colours, { width: story.width }));
  story.keep("verify", verified);

  story.chapter("Ask it something", `minilake query "${QUESTION}"`);
  steps.start("Reading the curated objects");
  const answer = await ask(lake);
  steps.stop();
  if (typeof answer === "string") story.line(answer);
  else story.block(renderRows(answer.columns, answer.rows, story.colours, story.width));
  story.keep("query", answer);

  story.chapter("Take it away", "minilake down");
  steps.start("Taking the lake down");
  const gone = await down(clients, definition, { signal });
  steps.stop();
  story.line(`${countChanges(gone.resources)}, in ${formatDuration(gone.durationMs)}`);
  return fed.ok && same && verified.ok;
}

/** Prints the demo as it goes, or keeps its results for one JSON document at the end. */
class Story {
  readonly colours: ChalkInstance;
  readonly width: number | undefined;
  readonly #output: CommandContext["output"];
  readonly #json: boolean;
  /** What the user types for this program. */
  readonly #typed: string;
  readonly #kept: Record<string, unknown> = {};
  #chapters = 0;

  constructor({ output, environment }: CommandContext, colours: ChalkInstance, json: boolean) {
    this.#output = output;
    this.#json = json;
    this.#typed = environment.npm_command === "exec" ? "npx minilake" : "minilake";
    this.colours = colours;
    const width = output.width("stdout");
    this.width = width === undefined ? undefined : width - INDENT.length;
  }

  keep(name: string, value: unknown): void {
    this.#kept[name] = value;
  }

  #print(text = ""): void {
    if (!this.#json) this.#output.print(text);
  }

  opening(): void {
    this.#print(this.colours.bold("The whole life of a small data lake, on a throw-away AWS endpoint of its own."));
  }

  /** Without a command it is the demo itself that does it. */
  chapter(title: string, command?: string): void {
    this.#chapters++;
    this.#print(`\n${this.colours.bold(`${this.#chapters}. ${title}`)}`);
    if (command) this.#print(`   ${this.colours.cyan(`$ ${command}`)}`);
  }

  line(text: string): void {
    this.#print(`${INDENT}${text}`);
  }

  verdict(good: boolean, text: string): void {
    this.#print(`   ${good ? this.colours.green("✔") : this.colours.red("✖ not so:")} ${text}`);
  }

  block(text: string): void {
    this.#print(text.replace(/^(?=.)/gm, INDENT));
  }

  /** First and last ones, as the AWS CLI prints them. */
  listing(objects: ListedKey[]): void {
    const line = ({ key, size, lastModified }: ListedKey) =>
      this.line(
        `${lastModified?.toISOString().slice(0, 19).replace("T", " ")} ${String(size).padStart(10)} ${printable(key)}`,
      );
    for (const object of objects.slice(0, 3)) line(object);
    this.line(this.colours.dim(`… ${formatCount(objects.length - 5)} more`));
    for (const object of objects.slice(-2)) line(object);
  }

  rejects(records: RejectRecord[]): void {
    this.block(
      renderTable(
        [{ title: "file" }, { title: "line", align: "right" }, { title: "rule" }, { title: "why" }],
        records.map(({ source_key, line, rule, message }) => [source_key, line, rule, message].map(printable)),
        { header: this.colours.bold },
      ),
    );
  }

  ending(gone: boolean, durationMs: number, endpoint: string): void {
    if (this.#json) this.#output.json({ ...this.#kept, nothingLeft: gone, durationMs: Math.round(durationMs) });
    this.verdict(gone, `nothing is left: no process, nothing at ${endpoint}, no folder`);
    this.#print(
      `\nAll of it in ${formatDuration(durationMs)}. A lake of your own: ${this.colours.cyan(`${this.#typed} up`)}`,
    );
  }
}

async function listAll(s3: S3Client, bucket: string): Promise<ListedKey[]> {
  const objects: ListedKey[] = [];
  for await (const object of listKeys(s3, bucket)) objects.push(object);
  return objects;
}

const sameObjects = (before: ListedKey[], after: ListedKey[]): boolean =>
  before.length === after.length &&
  before.every(({ key, etag }, index) => after[index]?.key === key && after[index]?.etag === etag);

/** The question's answer, or why there is none. */
async function ask({
  clients,
  definition,
  dataDir,
}: OpenLake): Promise<(Pick<QueryResult, "columns"> & { rows: Cell[][] }) | string> {
  try {
    const query = await openLakeQuery({ s3: await clients.s3(), definition, cacheFolder: join(dataDir, QUERY_CACHE) });
    try {
      const { columns, rows } = await query.run(QUESTION);
      const all: Cell[][] = [];
      for await (const chunk of rows) all.push(...chunk);
      return { columns, rows: all };
    } finally {
      query.close();
    }
  } catch (error) {
    // The one part of the demo that needs a package which may not be there for every machine.
    if (error instanceof MinilakeError && error.code === "Config") return `${error.message} ${error.hint ?? ""}`;
    throw error;
  }
}

/** The first reject of each rule. */
async function oneRejectPerRule(s3: S3Client, outcomes: IngestOutcome[]): Promise<RejectRecord[]> {
  const found = new Map<string, RejectRecord>();
  const quarantined = (output: ReceiptOutput) => output.kind === "quarantine";
  for (const receipt of outcomes.flatMap(({ receipts }) => receipts)) {
    if (!receipt.outputs.some(quarantined)) continue;
    for (const record of await readRejects(s3, receipt, 1_000)) {
      if (!found.has(record.rule)) found.set(record.rule, record);
    }
  }
  return [...found.values()];
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
