import fc from "fast-check";
import { expect, test } from "vitest";
import { readingOf } from "../../../handler/configuration.ts";
import type { SourceEvent } from "../../../handler/events.ts";
import { S3Error } from "../../../handler/s3/objectStore.ts";
import { runStage } from "../../../handler/stage.ts";
import type { CompiledContract } from "../../../src/contract/compiledContract.ts";
import type { FunctionConfiguration } from "../../../src/contract/functionConfiguration.ts";
import { needsRun } from "../../../src/contract/needsRun.ts";
import type { Receipt } from "../../../src/contract/receipt.ts";
import { contractLake, lakeConfiguration, simulatedLake, stageContext } from "./lake.ts";
import type { SimulatedS3 } from "./simulatedS3.ts";

/**
 * The real stage over simulated buckets, under histories of puts, overwrites and deletes, of events that are lost, doubled
 * and out of order, of runs that interleave at every request, fail and are cut off between any two of them; with a
 * contract two stages, where each change that the first one makes to trusted is an event for the second. When
 * all is over and `reconcile` has re-emitted what `needsRun` asks for, the lake must be the function of its raw objects.
 *
 * MINILAKE_MODEL_RUNS   histories to try (default 500)
 * MINILAKE_MODEL_SEED   to see one again
 */
const RUNS = Number(process.env.MINILAKE_MODEL_RUNS ?? 500);
const SEED = process.env.MINILAKE_MODEL_SEED;
const KEYS = ["a.csv", "b.csv"];
const HEADER = "id,day\n";

/** Files by the rows they hold; they overlap and differ in their dates, so that overwriting drops and adds outputs. */
const FILES: [id: string, day: string][][] = [
  [["1", "2026-01-01"]],
  [
    ["2", "2026-01-01"],
    ["3", "2026-01-02"],
  ],
  [
    ["4", "2026-01-02"],
    ["5", "nonsense"],
    ["6", "2026-01-03"],
  ],
  [
    ["1", "2026-01-01"],
    ["7", "2026-01-03"],
  ],
  [["8", "2026-01-04"]],
  // No dates at all: refused as a whole.
  [["9", "someday"]],
  // Without a date: the contract lets it pass, and `curate` has no place for it.
  [
    ["10", "2026-01-02"],
    ["11", ""],
  ],
];

const CONTRACT: CompiledContract = {
  id: "model",
  version: "1",
  schema: "model",
  columns: [
    { name: "id", type: { name: "integer", bits: "i64" }, required: "error", checks: [] },
    { name: "day", type: { name: "date" }, required: null, checks: [] },
  ],
  unknownColumns: "refuse",
  gates: [
    { rule: "row-count", columns: [], unit: "rows", operator: "mustBeGreaterThan", bounds: [0], severity: "error" },
  ],
};

const LAKES: Record<string, FunctionConfiguration> = {
  "one stage": lakeConfiguration(),
  "two stages": contractLake(CONTRACT, { partition: { column: "day", as: "dt_reference", timezone: "UTC" } }),
};

function textOf(file: [string, string][]): string {
  return HEADER + file.map(([id, day]) => `${id},${day}\n`).join("");
}

/** Curated objects that one live file stands for. */
function expectedOutputs(key: string, file: [string, string][]): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const [id, day] of file) {
    if (!day.startsWith("2026")) continue;
    const path = `dt_reference=${day}/${key}`;
    outputs[path] = `${outputs[path] ?? HEADER}${id},${day}\n`;
  }
  return outputs;
}

/** What the quarantine object of a stage says of one live file. */
function expectedRejects(stage: string, file: [string, string][], stages: number): string[] {
  const isWhole = file.every(([, day]) => !day.startsWith("2026"));
  if (isWhole)
    return stage === "curate" && stages === 1 ? ["no-partition-column"] : stage === "validate" ? ["row-count"] : [];
  return file
    .filter(([, day]) => !day.startsWith("2026") && (stages === 1 || (day === "") === (stage === "curate")))
    .map(([id, day]) => `${id},${day}`);
}

/** The trusted object of one live file; undefined when it is refused whole. */
function expectedTrusted(file: [string, string][]): string | undefined {
  const kept = file.filter(([, day]) => day === "" || day.startsWith("2026"));
  return kept.length === 0 ? undefined : textOf(kept);
}

type Action =
  | { do: "put"; key: number; file: number }
  | { do: "delete"; key: number }
  | { do: "deliver" | "repeat" | "lose" | "step" | "crash" | "fail" | "loseAnswer" | "retry"; pick: number }
  | { do: "wait"; seconds: number };

const pick = fc.nat(1000);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("put" as const), key: fc.nat(1), file: fc.nat(FILES.length - 1) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), key: fc.nat(1) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("deliver" as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("repeat" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), pick }) },
  { weight: 30, arbitrary: fc.record({ do: fc.constant("step" as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("crash" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fail" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("loseAnswer" as const), pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("retry" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.nat(120) }) },
);

/** One request of one run, waiting to take effect. */
interface Gate {
  run: Run;
  open(): void;
  fail(error: Error): void;
  /** The request takes effect, its answer is lost, and the client sends it again. */
  twice(): void;
}

interface Run {
  event: SourceEvent;
  requestId: string;
  /** Milliseconds since 1970. */
  began: number;
  ended: boolean;
}

const RUN_SECONDS = 60;

class World {
  readonly s3: SimulatedS3;
  readonly configuration: FunctionConfiguration;
  readonly pending: SourceEvent[] = [];
  readonly sent: SourceEvent[] = [];
  readonly toRetry: Run[] = [];
  readonly live = new Map<string, [string, string][]>();
  gates: Gate[] = [];
  runs: Run[] = [];
  #clock = Date.parse("2026-11-23T00:00:00Z");
  #sequence = 0;
  #requests = 0;
  readonly failures: unknown[] = [];

  constructor(configuration: FunctionConfiguration, versioned: boolean) {
    this.configuration = configuration;
    this.s3 = simulatedLake();
    if (!versioned) this.s3.versioned.clear();
    const sources = configuration.stages.map(({ sourceBucket }) => sourceBucket);
    this.s3.onChange = (bucket, key, kind) => {
      if (sources.includes(bucket)) this.#emit(bucket, key, kind);
    };
  }

  put(key: string, file: [string, string][]): void {
    this.s3.putNow("raw", key, Buffer.from(textOf(file)));
    this.live.set(key, file);
  }

  delete(key: string): void {
    this.s3.deleteNow("raw", key);
    this.live.delete(key);
  }

  #emit(bucket: string, key: string, kind: SourceEvent["kind"]): void {
    const sequencer = (++this.#sequence).toString(16).toUpperCase().padStart(6, "0");
    this.pending.push({ bucket, key, kind, sequencer, time: null });
  }

  async start(event: SourceEvent, requestId = `r${++this.#requests}`): Promise<Run> {
    const began = this.#clock;
    const run: Run = { event, requestId, began, ended: false };
    this.runs.push(run);
    const store = this.s3.through(
      () =>
        new Promise<"once" | "twice">((resolve, reject) => {
          if (run.ended) return; // Cut off: it never gets any further.
          const leave = () => {
            this.gates = this.gates.filter((other) => other !== gate);
          };
          const gate: Gate = {
            run,
            open: () => {
              leave();
              resolve("once");
            },
            fail: (error) => {
              leave();
              reject(error);
            },
            twice: () => {
              leave();
              resolve("twice");
            },
          };
          this.gates.push(gate);
        }),
    );
    const context = stageContext(this.s3, {
      store,
      configuration: this.configuration,
      stage: this.configuration.stages.find(({ sourceBucket }) => sourceBucket === event.bucket)!,
      requestId,
      now: () => new Date(this.#clock),
      remainingMs: () => Math.max(0, began + RUN_SECONDS * 1000 - this.#clock),
    });
    runStage(context, event).then(
      () => this.end(run),
      (error) => {
        if (!(error instanceof S3Error)) this.failures.push(error);
        this.end(run);
        this.toRetry.push(run);
      },
    );
    await settle();
    return run;
  }

  /** The run goes no further; requests that wait never take effect. */
  end(run: Run): void {
    run.ended = true;
    this.gates = this.gates.filter((gate) => gate.run !== run);
    this.runs = this.runs.filter((other) => other !== run);
  }

  wait(seconds: number): void {
    this.#clock += seconds * 1000;
    // Lambda ends what is over its time.
    for (const run of [...this.runs]) if (run.began + RUN_SECONDS * 1000 <= this.#clock) this.end(run);
  }

  async finish(run: Run): Promise<void> {
    while (!run.ended) {
      const gate = this.gates.find((candidate) => candidate.run === run);
      if (gate === undefined) throw new Error("a run waits for nothing");
      gate.open();
      await settle();
    }
  }

  receipt(stage: string, key: string): Receipt | undefined {
    const stored = this.s3.current("control", `receipts/${stage}/${key}.json`);
    return stored && (JSON.parse(stored.bytes!.toString()) as Receipt);
  }

  /** What `reconcile` would re-emit. */
  backlog(): { bucket: string; key: string }[] {
    return this.configuration.stages.flatMap(({ name, sourceBucket }) =>
      KEYS.filter((key) => {
        const object = this.s3.headNow(sourceBucket, key);
        const { onDelete } = readingOf(this.configuration, name);
        return needsRun(object && { key, ...object }, this.receipt(name, key), onDelete);
      }).map((key) => ({ bucket: sourceBucket, key })),
    );
  }
}

/** All that can run without another request has run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function play(world: World, history: Action[]): Promise<void> {
  for (const step of history) {
    if (step.do === "put") world.put(KEYS[step.key]!, FILES[step.file]!);
    else if (step.do === "delete") world.delete(KEYS[step.key]!);
    else if (step.do === "wait") world.wait(step.seconds);
    else if (step.do === "deliver" || step.do === "lose") {
      const [event] = world.pending.splice(step.pick % Math.max(1, world.pending.length), 1);
      if (event === undefined) continue;
      world.sent.push(event);
      if (step.do === "deliver") await world.start(event);
    } else if (step.do === "repeat") {
      const event = world.sent[step.pick % Math.max(1, world.sent.length)];
      if (event !== undefined) await world.start(event);
    } else if (step.do === "retry") {
      const [run] = world.toRetry.splice(step.pick % Math.max(1, world.toRetry.length), 1);
      if (run !== undefined) await world.start(run.event, run.requestId);
    } else {
      const gate = world.gates[step.pick % Math.max(1, world.gates.length)];
      if (gate === undefined) continue;
      if (step.do === "step") gate.open();
      else if (step.do === "loseAnswer") gate.twice();
      else if (step.do === "fail") gate.fail(new S3Error(503, "SlowDown", "slow down"));
      else {
        world.end(gate.run);
        world.toRetry.push(gate.run);
      }
      await settle();
    }
  }
}

/** The dust settles: what runs, ends; what was cut off is over its time; `reconcile` runs until nothing is left. */
async function settleAll(world: World): Promise<void> {
  for (const run of [...world.runs]) await world.finish(run);
  world.wait(RUN_SECONDS * 2);
  for (let round = 0; round < 5; round++) {
    const backlog = world.backlog();
    if (backlog.length === 0) return;
    for (const { bucket, key } of backlog) {
      await world.finish(await world.start({ bucket, key, kind: "created", sequencer: null, time: null }));
    }
  }
  throw new Error(`still to do after five rounds of reconcile: ${JSON.stringify(world.backlog())}`);
}

function checkLake(world: World): void {
  const curated: Record<string, string> = {};
  for (const key of world.s3.keys("curated")) curated[key] = world.s3.text("curated", key);
  const expected: Record<string, string> = {};
  const rejects: Record<string, string[]> = {};
  const trusted: Record<string, string> = {};
  const stages = world.configuration.stages.map(({ name }) => name);
  for (const [key, file] of world.live) {
    Object.assign(expected, expectedOutputs(key, file));
    const text = expectedTrusted(file);
    if (stages.length === 2 && text !== undefined) trusted[key] = text;
    for (const stage of stages) {
      const rows = expectedRejects(stage, file, stages.length);
      if (rows.length > 0) rejects[`${stage}/${key}.rejects.csv`] = rows;
    }
  }
  expect(curated).toEqual(expected);
  expect(Object.fromEntries(world.s3.keys("trusted").map((key) => [key, world.s3.text("trusted", key)]))).toEqual(
    trusted,
  );
  expect(world.s3.keys("quarantine")).toEqual(Object.keys(rejects).sort());
  for (const [key, rows] of Object.entries(rejects)) {
    const text = world.s3.text("quarantine", key);
    expect(text.split("\n").length - 2).toBe(rows.length);
    for (const row of rows) expect(text).toContain(row);
  }
  for (const stage of stages) for (const key of KEYS) checkReceipt(world, stage, key);
}

/** The receipt lists what there is, and nobody is at work. */
function checkReceipt(world: World, stage: string, key: string): void {
  const receipt = world.receipt(stage, key);
  if (receipt === undefined) return;
  expect(receipt.writing).toBeUndefined();
  const listed = receipt.outputs.map((output) => `${output.bucket}/${output.key}`).sort();
  const target = world.configuration.stages.find(({ name }) => name === stage)!.targetBucket;
  const there = [
    ...world.s3
      .keys(target)
      .filter((path) => path === key || path.endsWith(`/${key}`))
      .map((path) => `${target}/${path}`),
    ...world.s3
      .keys("quarantine")
      .filter((path) => path === `${stage}/${key}.rejects.csv`)
      .map((path) => `quarantine/${path}`),
  ];
  expect(listed).toEqual(there.sort());
}

/** Every state that a reader could have seen of an object is one version's, whole. */
function checkWholeVersions(world: World): void {
  const whole = new Set(KEYS.flatMap((key) => FILES.flatMap((file) => Object.values(expectedOutputs(key, file)))));
  for (const text of world.s3.written("curated")) expect(whole).toContain(text);
  const trusted = FILES.map(expectedTrusted);
  for (const text of world.s3.written("trusted")) expect(trusted).toContain(text);
}

test.each(Object.keys(LAKES))(
  "whatever happens to events and runs, the lake ends as the function of its raw objects: %s",
  async (name) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { minLength: 10, maxLength: 120, size: "max" }),
        fc.boolean(),
        async (history, versioned) => {
          const world = new World(LAKES[name]!, versioned);
          await play(world, history);
          await settleAll(world);
          expect(world.failures).toEqual([]);
          checkLake(world);
          checkWholeVersions(world);
        },
      ),
      { numRuns: RUNS, ...(SEED ? { seed: Number(SEED) } : {}) },
    );
  },
  600_000,
);
