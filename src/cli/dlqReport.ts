import type { ChalkInstance } from "chalk";
import type { LetterCase, LetterReplay } from "../lake/deadLetterCases.ts";
import { formatDuration, plural, printable, shortKey, shortList } from "../ui/format.ts";
import { cutMiddle, renderTable } from "../ui/table.ts";
import { describeLogLine, isWorthShowing } from "./logReport.ts";
import { describeOutcome, renderFailures } from "./replayReport.ts";

const MOST_LETTERS = 50;
const MOST_KEYS = 3;
const MOST_LOG_LINES = 12;

interface Asked {
  /** Messages in the queue. */
  count: number;
  keys: string[];
}

/** Events that the functions gave up on. */
export function renderLetters(cases: LetterCase[], asked: Asked, colours: ChalkInstance, width?: number): string {
  if (cases.length === 0) return renderNone(asked, colours);
  const rows = cases
    .slice(0, MOST_LETTERS)
    .map(({ letter, objects }) => [
      letter.sentAt,
      stagesOf(objects),
      keysOf(letter),
      letter.event || "no S3 event",
      stateOf(objects, colours),
      firstLine(letter.error) || "no reason recorded",
    ]);
  if (cases.length > MOST_LETTERS) {
    rows.push(["", "", colours.dim(`… ${plural(cases.length - MOST_LETTERS, "event")} more`)]);
  }
  const table = renderTable(
    [
      { title: "since" },
      { title: "stage" },
      { title: "file" },
      { title: "event" },
      { title: "file now" },
      { title: "error", shrink: true },
    ],
    rows,
    { header: colours.bold, width },
  );
  return `${table}\n\n  ${plural(cases.length, "event")} that the function gave up on. More about each: minilake dlq why. Once the cause is mended: minilake dlq replay`;
}

/** Each event with its error and what its run wrote. */
export function renderWhy(cases: LetterCase[], asked: Asked, colours: ChalkInstance, width?: number): string {
  if (cases.length === 0) return renderNone(asked, colours);
  return cases.map((each) => renderCase(each, colours, width)).join("\n\n");
}

function renderCase({ letter, objects, log }: LetterCase, colours: ChalkInstance, width?: number): string {
  const lines = [colours.bold(keysOf(letter))];
  const add = (title: string, text: string) => lines.push(`  ${title.padEnd(9)}${text}`);
  const versions = letter.objects.map(({ versionId }) => versionId).filter((id) => id !== undefined);
  add("event", `${letter.event || "no S3 event"}${versions.length === 1 ? ` of version ${versions[0]}` : ""}`);
  if (objects.length > 0) {
    add(
      "stage",
      `${stagesOf(objects)}, function ${[...new Set(objects.map(({ stage }) => stage.functionName))].join(", ")}`,
    );
  }
  add("error", colours.red(printable(letter.error) || "no reason recorded"));
  if (letter.sentAt) add("given up", letter.sentAt);
  if (letter.requestId) add("request", letter.requestId);
  add("file now", stateOf(objects, colours) || "no object of this lake");
  const worth = log.filter((line) => isWorthShowing(line) || line.kind === "report");
  if (letter.requestId && worth.length === 0) add("log", "nothing of this run is in the log (any more)");
  else if (worth.length > 0) {
    lines.push("  log");
    for (const line of worth.slice(-MOST_LOG_LINES)) {
      const text = `    ${line.time}  ${describeLogLine(line).replace(/ {2}\(request .*\)$/, "")}`;
      lines.push(width === undefined ? text : cutMiddle(text, width));
    }
    if (worth.length > MOST_LOG_LINES) {
      lines.push(
        `    … ${plural(worth.length - MOST_LOG_LINES, "line")} before: minilake logs --request ${letter.requestId}`,
      );
    }
  }
  const advice = objects.some(({ upToDate }) => !upToDate)
    ? "Mend the cause, and send it again: minilake dlq replay"
    : objects.length > 0
      ? "Its file is in the lake by now; take it out of the queue: minilake dlq replay"
      : undefined;
  if (advice) lines.push(`  ${advice}`);
  return lines.join("\n");
}

/** What became of each event that was sent again. */
export function renderLetterReplays(
  replays: LetterReplay[],
  { keys, durationMs }: { keys: string[]; durationMs: number },
  colours: ChalkInstance,
  width?: number,
): string {
  if (replays.length === 0) return renderNone({ count: 0, keys }, colours);
  const rows = replays
    .slice(0, MOST_LETTERS)
    .map(({ letter, objects, outcomes, result }) => [
      stagesOf(objects),
      keysOf(letter),
      describeOutcomes(outcomes, colours),
      result === "removed" ? "taken out" : result === "replaced" ? colours.red("there again") : colours.yellow("stays"),
    ]);
  if (replays.length > MOST_LETTERS)
    rows.push(["", colours.dim(`… ${plural(replays.length - MOST_LETTERS, "event")} more`)]);
  const blocks = [
    renderTable([{ title: "stage" }, { title: "file", shrink: true }, { title: "outcome" }, { title: "event" }], rows, {
      header: colours.bold,
      width,
    }),
  ];
  const failures = renderFailures([...new Set(replays.flatMap(({ outcomes }) => outcomes))], colours);
  if (failures.length > 0) blocks.push(failures.join("\n"));
  const removed = replays.filter(({ result }) => result === "removed").length;
  const took = `in ${formatDuration(durationMs)}`;
  blocks.push(
    removed === replays.length
      ? `${colours.green("✔")} ${plural(removed, "event")} dealt with and taken out of the dead-letter queue, ${took}.`
      : `${colours.red("✖")} ${removed} of ${plural(replays.length, "event")} dealt with, ${took}. The rest is still in the dead-letter queue.`,
  );
  return blocks.join("\n\n");
}

export function renderPurged(count: number, open: number, colours: ChalkInstance): string {
  if (count === 0) return `${colours.green("✔")} The dead-letter queue is empty.`;
  const still = open > 0 ? "\n  What they were about is not in the lake yet: minilake reconcile" : "";
  return `${colours.green("✔")} ${plural(count, "dead letter")} deleted.${still}`;
}

function renderNone({ count, keys }: Asked, colours: ChalkInstance): string {
  if (keys.length > 0) {
    return `${colours.green("✔")} No dead letter speaks of ${shortList(keys, MOST_KEYS)}.${count > 0 ? ` The queue has ${count} about others: minilake dlq list` : ""}`;
  }
  if (count > 0)
    return `${colours.yellow("!")} Somebody else is looking at ${plural(count, "dead letter")}. Try again in a while.`;
  return `${colours.green("✔")} No dead letters: the functions gave up on nothing.`;
}

function describeOutcomes(outcomes: LetterReplay["outcomes"], colours: ChalkInstance): string {
  const [first] = outcomes;
  if (first === undefined) return colours.yellow("no event of this lake");
  if (outcomes.length > 1)
    return `${outcomes.filter(({ status }) => status === "done").length} of ${outcomes.length} done`;
  if (!first.emitted && first.status !== "failed" && first.status !== "pending")
    return colours.green("up to date already");
  return describeOutcome(first, colours);
}

const stagesOf = (objects: LetterCase["objects"]) => [...new Set(objects.map(({ stage }) => stage.name))].join(", ");

const keysOf = ({ objects }: LetterCase["letter"]) =>
  shortList(
    objects.map(({ key }) => key),
    MOST_KEYS,
  ) || "–";

function stateOf(objects: LetterCase["objects"], colours: ChalkInstance): string {
  if (objects.length === 0) return "";
  return objects.every(({ upToDate }) => upToDate) ? colours.green("in the lake") : colours.yellow("waiting");
}

const firstLine = (text: string) => shortKey(text.split("\n", 1)[0] ?? "");
