import { existsSync } from "node:fs";
import { ListBucketsCommand } from "@aws-sdk/client-s3";
import type { Stopped } from "../backends/backend.ts";
import { readSession, removeSession, writeSession } from "../backends/session.ts";
import { down } from "../lake/reconcile.ts";
import { formatDuration, plural, printable } from "../ui/format.ts";
import { confirmDown } from "./confirmChanges.ts";
import type { CommandContext } from "./context.ts";
import { choosePlace, hasData, type OpenLake, shortPath, withLake } from "./lake.ts";
import type { LakeOptions } from "./options.ts";
import { countChanges, renderResources } from "./resourceTable.ts";

export interface DownOptions extends LakeOptions {
  keepData?: boolean;
  yes?: boolean;
}

/** An embedded endpoint that does not run is started first, so that what it holds is seen before it goes. */
export async function runDown(context: CommandContext, options: DownOptions): Promise<void> {
  const { output, signal } = context;
  const keepData = options.keepData ?? false;
  const place = choosePlace(context, options, { withoutContract: true });
  const embedded = place.backend.name === "embedded";
  if (embedded && !hasData(place.dataDir) && !(await place.backend.isRunning())) {
    // Deleting the folder by hand is as good as `down`, but for the process that served it.
    const { stopped } = await place.backend.stop({ keepData, signal });
    removeSession(place.dataDir);
    if (options.json) {
      return output.json({ lake: place.configuration.lake, resources: [], leftovers: [], stopped, left: [] });
    }
    return output.print(
      stopped
        ? `The data in ${shortPath(place.dataDir)} was deleted before; the endpoint at ${place.backend.endpoint} that served it is stopped.`
        : `Nothing to take down: there is no lake in ${shortPath(place.dataDir)}.`,
    );
  }
  await withLake(
    context,
    place,
    { doing: "Taking the lake down", start: embedded, json: options.json, changesLake: true },
    async (lake) => {
      const { backend, clients, definition, onProgress, steps } = lake;
      if (backend.name === "aws" && !options.yes) {
        steps.stop();
        if (!(await confirmDown(context, lake, keepData))) {
          context.exitCode = 1;
          return output.note("Nothing was removed.");
        }
      }
      const { resources, leftovers, durationMs } = await down(clients, definition, { keepData, onProgress, signal });
      const others = embedded ? await otherBuckets(lake) : [];
      const stopped: Stopped =
        others.length > 0 && !keepData
          ? { stopped: false, removed: [], kept: `it holds ${describeBuckets(others)} that this lake did not make` }
          : await backend.stop({ keepData, onProgress, signal });
      if (!keepData) forgetLake(place.dataDir, definition.name, stopped.kept !== undefined);
      steps.succeed(
        `The lake ${definition.name} is down: ${countChanges(resources)}, in ${formatDuration(durationMs)}`,
      );
      const left = await whatIsLeft(lake, leftovers);
      if (options.json) return output.json({ lake: definition.name, resources, leftovers, ...stopped, left });
      const colours = await output.colours("stdout");
      output.print(renderResources(resources, colours, { width: output.width("stdout") }));
      output.print();
      if (stopped.kept) output.print(`${colours.yellow("!")} ${backend.describe} goes on: ${stopped.kept}.`);
      output.print(
        left.length === 0
          ? `${colours.green("✔")} Nothing is left${embedded ? `: nothing listens at ${backend.endpoint}, and ${shortPath(place.dataDir)} is gone` : ""}.`
          : `${colours.yellow("!")} What is left: ${printable(left.join(", "))}.`,
      );
    },
  );
}

/** The session speaks of one lake: another one's stays. Where the endpoint goes on, so does what is known of its place. */
function forgetLake(dataDir: string, lake: string, endpointGoesOn: boolean): void {
  if (!endpointGoesOn) removeSession(dataDir);
  const session = readSession(dataDir);
  if (session?.lake === lake)
    writeSession(dataDir, { ...session, lake: "", told: { ...session.told, lake: undefined } });
}

/** Buckets of the embedded endpoint that somebody made beside this lake. They would go with its data. */
async function otherBuckets({ clients, definition }: OpenLake): Promise<string[]> {
  const { Buckets = [] } = await (await clients.s3()).send(new ListBucketsCommand({}));
  const { bucketDefinitions, retired } = definition;
  const ours = new Set([...bucketDefinitions, ...retired.buckets].map(({ name }) => name));
  return Buckets.map(({ Name = "" }) => Name).filter((name) => !ours.has(name));
}

function describeBuckets(names: string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3
    ? `${plural(names.length, "bucket")} (${shown}, …)`
    : `the bucket${names.length > 1 ? "s" : ""} ${shown}`;
}

/** Looks again, at the outside: who answers, and what is on disk. */
async function whatIsLeft(
  { backend, dataDir }: OpenLake,
  leftovers: { kind: string; name: string }[],
): Promise<string[]> {
  const left = leftovers.map(({ kind, name }) => `${kind} ${name}`);
  if (backend.name !== "embedded") return left;
  if (await backend.isRunning()) left.push(backend.describe);
  if (existsSync(dataDir)) left.push(`the folder ${shortPath(dataDir)}`);
  return left;
}
