import type { Clients } from "../backends/clients.ts";
import { needsRun } from "../contract/needsRun.ts";
import type { DeadLetter, HeldDeadLetters } from "./deadLetters.ts";
import type { LakeDefinition, StageDefinition } from "./definition.ts";
import { type LogLine, readLog } from "./functionLogs.ts";
import { getReceipt, inParallel } from "./receipts.ts";
import { DO_AGAIN, findObject, onDeleteOf, type ReplayOptions, type ReplayOutcome, replayThrough } from "./replay.ts";

/** A source object that a dead letter speaks of. */
export interface LetterObject {
  key: string;
  stage: StageDefinition;
  /** The lake has dealt with it by now: it was ingested again, or reconciled. */
  upToDate: boolean;
}

/** What a dead letter means for the lake. */
export interface LetterCase {
  letter: DeadLetter;
  /** Those of its objects that are in a source bucket of the lake; [] for what is no event of ours. */
  objects: LetterObject[];
  /** Lines of the run's log, oldest first; [] when the log has none (any more). */
  log: LogLine[];
}

const READS_IN_FLIGHT = 8;
/** An event waits at most so long before the function gives up on it. */
const OLDEST_EVENT_MS = 6 * 3_600_000;
const MOST_LINES = 200;

/** Letters that speak of one of `keys`, or all of them without any. */
export function lettersAbout(letters: DeadLetter[], keys: string[]): DeadLetter[] {
  if (keys.length === 0) return letters;
  return letters.filter(({ objects }) => objects.some(({ key }) => keys.includes(key)));
}

/** Looks up what each letter is about; with `logs` also what its run wrote. */
export async function examineLetters(
  clients: Clients,
  definition: LakeDefinition,
  letters: DeadLetter[],
  { logs = false, signal }: { logs?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<LetterCase[]> {
  const s3 = await clients.s3();
  const cases = new Map<DeadLetter, LetterCase>();
  await inParallel(letters, READS_IN_FLIGHT, async (letter) => {
    signal?.throwIfAborted();
    const objects: LetterObject[] = [];
    for (const { bucket, key } of letter.objects) {
      const stage = definition.stages.find(({ sourceBucket }) => sourceBucket === bucket);
      if (stage === undefined) continue;
      const [object, receipt] = await Promise.all([
        findObject(s3, bucket, key),
        getReceipt(s3, definition, stage.name, key),
      ]);
      const due = needsRun(object, receipt, onDeleteOf(definition, stage)) || receipt?.code === DO_AGAIN;
      objects.push({ key, stage, upToDate: !due });
    }
    const log = logs ? await readRunLog(clients, definition, letter, objects, signal) : [];
    cases.set(letter, { letter, objects, log });
  });
  return letters.map((letter) => cases.get(letter)!);
}

async function readRunLog(
  clients: Clients,
  definition: LakeDefinition,
  { requestId, sentAt }: DeadLetter,
  objects: LetterObject[],
  signal: AbortSignal | undefined,
): Promise<LogLine[]> {
  if (requestId === "") return [];
  const since = (sentAt === "" ? Date.now() : Date.parse(sentAt)) - OLDEST_EVENT_MS;
  const stages = objects.length > 0 ? [...new Set(objects.map(({ stage }) => stage))] : definition.stages;
  const lines: LogLine[] = [];
  for (const stage of stages) {
    for await (const line of readLog(clients, stage, { since, requestId, signal })) {
      lines.push(line);
      if (lines.length >= MOST_LINES) return lines;
    }
    lines.push(...(await readNamelessErrors(clients, stage, lines, signal)));
  }
  return lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

/** What fails before a run begins, such as a module that cannot be loaded, is logged without the run's request id. */
async function readNamelessErrors(
  clients: Clients,
  stage: StageDefinition,
  lines: LogLine[],
  signal: AbortSignal | undefined,
): Promise<LogLine[]> {
  const streams = [...new Set(lines.filter((line) => line.stage === stage.name).map(({ stream }) => stream))];
  if (streams.length === 0) return [];
  const times = lines.map(({ time }) => Date.parse(time));
  const [since, until] = [Math.min(...times) - BEFORE_RUN_MS, Math.max(...times)];
  const errors: LogLine[] = [];
  for await (const line of readLog(clients, stage, {
    since,
    until,
    streams: streams.slice(0, 100),
    errors: true,
    signal,
  })) {
    if (line.requestId === undefined) errors.push(line);
    if (errors.length >= MOST_LINES) break;
  }
  return errors;
}

/** Lambda gives an environment so long to start. */
const BEFORE_RUN_MS = 10_000;

export interface LetterReplay extends LetterCase {
  /**
   * removed    its objects are up to date, and it is out of the queue
   * replaced   the function gave up again: its new message stays in its place
   * kept       it is in the queue as before: no answer yet, or it is no event of this lake
   */
  result: "removed" | "replaced" | "kept";
  outcomes: ReplayOutcome[];
}

/**
 * Sends the events of held letters again, as they are now, and takes each letter out of the queue once its objects are
 * up to date. What is up to date already is not sent.
 */
export async function replayLetters(
  clients: Clients,
  definition: LakeDefinition,
  held: Pick<HeldDeadLetters, "remove">,
  cases: LetterCase[],
  options: Omit<ReplayOptions, "force" | "graceMs"> = {},
): Promise<LetterReplay[]> {
  const outcomes = new Map<string, ReplayOutcome>();
  for (const stage of definition.stages) {
    // Several letters may speak of one key.
    const keys = new Set(
      cases.flatMap(({ objects }) => objects.filter((each) => each.stage === stage).map(({ key }) => key)),
    );
    const pending = [...keys].filter((key) => !outcomes.has(placeOf(stage.name, key)));
    for (const outcome of await replayThrough(clients, definition, stage, pending, options)) {
      outcomes.set(placeOf(outcome.stage, outcome.key), outcome);
    }
  }
  const replays: LetterReplay[] = [];
  for (const each of cases) {
    const mine = each.objects.map(({ key, stage }) => outcomes.get(placeOf(stage.name, key))!);
    const failed = mine.filter(({ status }) => status === "failed");
    const pending = mine.filter(({ status }) => status === "pending");
    let result: LetterReplay["result"] = "kept";
    if (mine.length > 0 && pending.length === 0) {
      // The new message has the event of today, and one of them is enough. Of a letter with several objects each
      // has been sent by itself, so that those that failed again have messages of their own.
      await held.remove(each.letter);
      result = failed.length > 0 ? "replaced" : "removed";
    }
    replays.push({ ...each, result, outcomes: mine });
  }
  return replays;
}

const placeOf = (stage: string, key: string) => `${stage}/${key}`;
