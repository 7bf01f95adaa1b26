import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clients, createClients } from "../backends/clients.ts";
import { type InProcessEndpoint, startInProcess } from "../backends/inProcess.ts";
import { MinilakeError } from "../errors.ts";
import { buildBundle } from "../lake/bundle.ts";
import { resolveConfiguration } from "../lake/configuration.ts";
import { parseConfiguration } from "../lake/configurationFile.ts";
import { defineLake, type LakeDefinition } from "../lake/definition.ts";
import { type IngestOutcome, ingestFiles } from "../lake/ingest.ts";
import { up } from "../lake/reconcile.ts";
import { readRejects } from "../lake/rejects.ts";
import { expandSources, type IngestSource } from "../lake/sources.ts";
import { cellValue } from "../query/cellValue.ts";
import { type LakeQuery, openLakeQuery } from "../query/index.ts";
import { verifyLake } from "../verify/index.ts";
import type { CreateLake, CreateLakeOptions, IngestedFile, Lake } from "./types.ts";

const INGEST_TIMEOUT_MS = 60_000;
const REGION = "us-east-1";

/** State of endpoints whose lake is up and empty, by definition: the next lake of the same kind begins with a copy. */
const templates = new Map<string, Promise<Template>>();

interface Template {
  folder: string;
  definition: LakeDefinition;
}

export const createLake: CreateLake = async (options = {}) => {
  const { concurrency, faults, ...settings } = options;
  const { folder, definition } = await templateOf(settings);
  const endpoint = await startInProcess({ region: REGION, concurrency, faults, from: folder });
  return new ThrowAwayLake(endpoint, definition);
};

function templateOf(settings: Omit<CreateLakeOptions, "concurrency" | "faults">): Promise<Template> {
  const name = "createLake()";
  // What a file may say, an object may: checked by the same rules, with JSON being YAML.
  const values = parseConfiguration(JSON.stringify(settings), name);
  const configuration = resolveConfiguration({ file: { path: name, values } });
  // The contract's text counts, not its path.
  const kind = JSON.stringify(configuration);
  const known = templates.get(kind);
  if (known) return known;
  const made = makeTemplate(configuration);
  templates.set(kind, made);
  made.catch(() => templates.delete(kind));
  return made;
}

async function makeTemplate(configuration: ReturnType<typeof resolveConfiguration>): Promise<Template> {
  const endpoint = await startInProcess({ region: REGION });
  const clients = createClients(endpoint);
  try {
    const { accountId } = endpoint;
    const architecture = process.arch === "arm64" ? "arm64" : "x86_64";
    const definition = defineLake(configuration, { accountId, architecture, functionsRunHere: true });
    await up(clients, definition, { bundle: await buildBundle(definition.configuration) });
    clients.destroy();
    await endpoint.close({ keep: true });
    process.once("exit", () => rmSync(endpoint.dataDir, { recursive: true, force: true }));
    return { folder: endpoint.dataDir, definition };
  } catch (error) {
    clients.destroy();
    await endpoint.close();
    throw error;
  }
}

class ThrowAwayLake implements Lake {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Lake["credentials"];
  readonly buckets: Lake["buckets"];
  readonly #running: InProcessEndpoint;
  readonly #definition: LakeDefinition;
  readonly #clients: Clients;
  #query: Promise<LakeQuery> | undefined;
  #closed: Promise<void> | undefined;

  constructor(running: InProcessEndpoint, definition: LakeDefinition) {
    this.#running = running;
    this.#definition = definition;
    this.#clients = createClients(running);
    this.endpoint = running.endpoint;
    this.region = running.region;
    this.credentials = running.credentials;
    this.buckets = definition.buckets;
  }

  async ingest(files: string | string[] | Record<string, string | Uint8Array>): Promise<IngestedFile[]> {
    const cwd = process.cwd();
    if (typeof files === "string" || Array.isArray(files)) {
      return this.#ingest((await expandSources([files].flat(), { cwd })).sources);
    }
    const folder = mkdtempSync(join(tmpdir(), "minilake-input-"));
    try {
      const contents = Object.entries(files).map(async ([key, content], index) => {
        const path = join(folder, String(index));
        writeFileSync(path, content);
        return (await expandSources([path], { cwd, key })).sources;
      });
      return await this.#ingest((await Promise.all(contents)).flat());
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async #ingest(sources: IngestSource[]): Promise<IngestedFile[]> {
    const { outcomes } = await ingestFiles(this.#clients, this.#definition, sources, { timeoutMs: INGEST_TIMEOUT_MS });
    const s3 = await this.#clients.s3();
    return Promise.all(
      outcomes.map(async ({ key, status, rows, receipts, error }: IngestOutcome) => {
        if (status === "pending" || status === "failed" || status === "uploaded") {
          throw new MinilakeError("Timeout", error?.message ?? `${key}: ${status}`, {
            ...(error?.hint === undefined ? {} : { hint: error.hint }),
          });
        }
        const [record] = status === "rejected" ? await readRejects(s3, receipts.at(-1)!, 1) : [];
        const refusal = record && { rule: record.rule, message: record.message };
        return { key, status, rows, refusal, receipts };
      }),
    );
  }

  async verify({ values = false }: { values?: boolean } = {}) {
    const [s3, sqs] = await Promise.all([this.#clients.s3(), this.#clients.sqs()]);
    return verifyLake({ s3, sqs, definition: this.#definition, values, pollMs: 50 });
  }

  async query<Row = Record<string, unknown>>(sql: string): Promise<Row[]> {
    this.#query ??= this.#clients
      .s3()
      .then((s3) =>
        openLakeQuery({ s3, definition: this.#definition, cacheFolder: join(this.#running.dataDir, "cache") }),
      );
    const { columns, rows } = await (await this.#query).run(sql);
    const found: Row[] = [];
    for await (const chunk of rows) {
      for (const row of chunk) {
        found.push(Object.fromEntries(columns.map(({ name, type }, at) => [name, cellValue(type, row[at]!)])) as Row);
      }
    }
    return found;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    (await this.#query?.catch(() => undefined))?.close();
    this.#clients.destroy();
    await this.#running.close();
  }
}
