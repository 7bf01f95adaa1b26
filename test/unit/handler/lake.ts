import { readingOf } from "../../../handler/configuration.ts";
import { prepareCurate } from "../../../handler/curateObject.ts";
import type { SourceEvent } from "../../../handler/events.ts";
import { type Outcome, runStage, type StageContext } from "../../../handler/stage.ts";
import { prepareValidate } from "../../../handler/validateObject.ts";
import type { CompiledContract } from "../../../src/contract/compiledContract.ts";
import type { FunctionConfiguration } from "../../../src/contract/functionConfiguration.ts";
import type { Receipt } from "../../../src/contract/receipt.ts";
import { SimulatedS3 } from "./simulatedS3.ts";

export function lakeConfiguration(changes: Partial<FunctionConfiguration> = {}): FunctionConfiguration {
  return {
    version: 1,
    lake: "test",
    buckets: { raw: "raw", curated: "curated", quarantine: "quarantine", control: "control" },
    stages: [{ name: "curate", sourceBucket: "raw", targetBucket: "curated" }],
    partition: { as: "dt_reference", timezone: "UTC" },
    dialect: {},
    onDelete: "remove",
    format: "csv",
    ...changes,
  };
}

/** A lake with two stages. */
export function contractLake(
  contract: CompiledContract,
  changes: Partial<FunctionConfiguration> = {},
): FunctionConfiguration {
  return lakeConfiguration({
    buckets: { raw: "raw", trusted: "trusted", curated: "curated", quarantine: "quarantine", control: "control" },
    stages: [
      { name: "validate", sourceBucket: "raw", targetBucket: "trusted" },
      { name: "curate", sourceBucket: "trusted", targetBucket: "curated" },
    ],
    contract,
    ...changes,
  });
}

export function simulatedLake(): SimulatedS3 {
  const s3 = new SimulatedS3();
  s3.versioned.add("raw");
  return s3;
}

export function createdEvent(key: string, changes: Partial<SourceEvent> = {}): SourceEvent {
  return { bucket: "raw", key, kind: "created", sequencer: null, time: null, ...changes };
}

/** The real stage over simulated buckets, by default the first one of the lake. */
export function stageContext(s3: SimulatedS3, changes: Partial<StageContext> = {}): StageContext {
  const stage = changes.stage ?? (changes.configuration ?? lakeConfiguration()).stages[0]!;
  const configuration = readingOf(changes.configuration ?? lakeConfiguration(), stage.name);
  const prepare = stage.name === "validate" ? prepareValidate : prepareCurate;
  return {
    store: s3,
    stage,
    code: "c0de",
    requestId: "request",
    remainingMs: () => 60_000,
    now: () => new Date("2026-11-23T00:00:00Z"),
    prepare: (key, source, body) =>
      prepare(key, source, body, configuration, stage, {
        remainingMs: 900_000,
        memoryMb: 1769,
        spaceBytes: 1e9,
      }),
    ...changes,
    configuration,
  };
}

export interface CuratedFile {
  outcome: Outcome;
  receipt: Receipt;
  s3: SimulatedS3;
  /** Text of each curated object, by partition. */
  partitions: Record<string, string>;
  /** Text of the quarantine object; "" without one. */
  rejects: string;
}

/** Curates one file in a lake of its own. */
export async function curateFile(
  bytes: Buffer | string,
  options: { key?: string; configuration?: FunctionConfiguration; chunkBytes?: number } = {},
): Promise<CuratedFile> {
  const key = options.key ?? "in.csv";
  const s3 = simulatedLake();
  if (options.chunkBytes !== undefined) s3.chunkBytes = options.chunkBytes;
  s3.putNow("raw", key, Buffer.from(bytes as string));
  const context = stageContext(s3, options.configuration ? { configuration: options.configuration } : {});
  const outcome = await runStage(context, createdEvent(key));
  if (!("receipt" in outcome)) throw new Error(`outcome ${outcome.result}`);
  const partitions: Record<string, string> = {};
  for (const path of s3.keys("curated")) partitions[path.split("/")[0]!.split("=")[1]!] = s3.text("curated", path);
  const [rejects] = s3.keys("quarantine");
  return { outcome, receipt: outcome.receipt, s3, partitions, rejects: rejects ? s3.text("quarantine", rejects) : "" };
}

export interface ValidatedFile {
  receipt: Receipt;
  s3: SimulatedS3;
  /** Text of the trusted object; undefined without one. */
  trusted: string | undefined;
  /** Text of the quarantine object of `validate`; "" without one. */
  rejects: string;
}

/** The settings of a lake, without where they were for. */
function placeless(changes: Partial<FunctionConfiguration> = {}): Partial<FunctionConfiguration> {
  const { buckets: _buckets, stages: _stages, ...settings } = changes;
  return settings;
}

/** Holds one file against a contract in a lake of its own. */
export async function validateFile(
  bytes: Buffer | string,
  contract: CompiledContract,
  options: { key?: string; configuration?: Partial<FunctionConfiguration>; chunkBytes?: number } = {},
): Promise<ValidatedFile> {
  const key = options.key ?? "in.csv";
  const s3 = simulatedLake();
  if (options.chunkBytes !== undefined) s3.chunkBytes = options.chunkBytes;
  s3.putNow("raw", key, Buffer.from(bytes as string));
  const configuration = contractLake(contract, placeless(options.configuration));
  const outcome = await runStage(stageContext(s3, { configuration }), createdEvent(key));
  if (!("receipt" in outcome)) throw new Error(`outcome ${outcome.result}`);
  const trusted = s3.current("trusted", key) && s3.text("trusted", key);
  const [rejects] = s3.keys("quarantine");
  return { receipt: outcome.receipt, s3, trusted, rejects: rejects ? s3.text("quarantine", rejects) : "" };
}

/** Runs `curate` on a trusted object. */
export async function curateTrusted(
  s3: SimulatedS3,
  key: string,
  configuration: FunctionConfiguration,
): Promise<Outcome> {
  const stage = configuration.stages.find(({ name }) => name === "curate")!;
  const context = stageContext(s3, { configuration, stage });
  return runStage(context, createdEvent(key, { bucket: stage.sourceBucket }));
}
