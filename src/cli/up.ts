import type { ChalkInstance } from "chalk";
import { awaitEvents } from "../lake/canary.ts";
import type { ResourceReport } from "../lake/progress.ts";
import { up } from "../lake/reconcile.ts";
import { formatDuration, printable } from "../ui/format.ts";
import { confirmUp } from "./confirmChanges.ts";
import type { CommandContext } from "./context.ts";
import { choosePlace, type OpenLake, rememberLake, shortPath, withLake } from "./lake.ts";
import type { EndpointOptions, LakeOptions } from "./options.ts";
import { countChanges, describeSkipped, renderResources } from "./resourceTable.ts";

export interface UpOptions extends LakeOptions, EndpointOptions {
  yes?: boolean;
  /** Also removes data that the definition has no place for any more. */
  prune?: boolean;
}

export async function runUp(context: CommandContext, options: UpOptions): Promise<void> {
  const { output, signal } = context;
  const prune = options.prune ?? false;
  await withLake(
    context,
    choosePlace(context, options),
    { doing: "Bringing the lake up", start: true, json: options.json, changesLake: true },
    async (lake) => {
      const { backend, clients, definition, onProgress, steps } = lake;
      if (backend.name === "aws" && !options.yes) {
        steps.stop();
        if (!(await confirmUp(context, lake, { prune }))) {
          context.exitCode = 1;
          return output.note("Nothing was changed.");
        }
      }
      const { resources, changed, notes, durationMs } = await up(clients, definition, { onProgress, signal, prune });
      rememberLake(lake);
      let readyMs: number | undefined;
      if (backend.eventsComeLate && resources.some(hasToDoWithEvents)) {
        steps.update("Waiting for the first event");
        readyMs = durationMs + (await awaitEvents(clients, definition, { onProgress, signal }));
      }
      steps.succeed(`The lake ${definition.name} is up: ${countChanges(resources)}, in ${formatDuration(durationMs)}`);
      if (readyMs !== undefined) steps.succeed(`Events arrive: ready after ${formatDuration(readyMs)}`);
      const late = lateOptions(lake, options);
      if (late.length > 0) {
        steps.warn(
          `The endpoint runs already, as it was started. To start it with ${late.join(", ")}: minilake down --keep-data, then up.`,
        );
      }
      if (options.json)
        return output.json({ lake: definition.name, changed, notes, ...placeOf(lake), resources, readyMs });
      const colours = await output.colours("stdout");
      output.print(renderResources(resources, colours, { width: output.width("stdout") }));
      output.print();
      for (const note of [...notes, ...describeSkipped(resources)]) {
        output.print(`${colours.yellow("!")} ${printable(note)}`);
      }
      output.print(whatNext(lake, colours));
    },
  );
}

/** After such a change it takes a while until events arrive, or arrive again. */
function hasToDoWithEvents({ kind, change }: ResourceReport): boolean {
  return ["notification", "permission", "function"].includes(kind) && (change === "created" || change === "updated");
}

/** Options that only count when the embedded endpoint is started. */
function lateOptions({ backend, started }: OpenLake, options: UpOptions): string[] {
  if (started.started || backend.name !== "embedded") return [];
  const given: [string, unknown][] = [
    ["--strict", options.strict],
    ["--aws-timing", options.awsTiming],
    ["--concurrency", options.concurrency],
    ["--faults", options.faults === started.faults ? undefined : options.faults],
  ];
  return given.filter(([, value]) => value !== undefined).map(([name]) => name);
}

function placeOf({ backend, definition, started }: OpenLake) {
  const { name, region, endpoint } = backend;
  return {
    backend: name,
    region,
    endpoint: endpoint ?? null,
    ...(started.pid && { pid: started.pid }),
    buckets: definition.buckets,
  };
}

/** Where it is, how to reach it, what to type. */
function whatNext({ backend, definition, started, dataDir }: OpenLake, colours: ChalkInstance): string {
  const lines: string[] = [];
  const add = (title: string, text: string) => lines.push(`  ${colours.bold(title.padEnd(12))}${text}`);
  if (backend.endpoint) {
    const process = started.pid ? ` (process ${started.pid}, data in ${shortPath(dataDir)})` : "";
    add("endpoint", backend.endpoint + process);
  } else add("place", backend.describe);
  if (started.faults && started.faults !== "none") add("faults", started.faults);
  const raw = `s3://${definition.buckets.raw}/`;
  const at = backend.endpoint ? ` --endpoint-url=${backend.endpoint.replace("127.0.0.1", "localhost")}` : "";
  add("next", "minilake ingest FILES…");
  if (backend.credentials) {
    const { accessKeyId, secretAccessKey } = backend.credentials;
    add("or", "with the AWS CLI:");
    lines.push(
      `    export AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey} AWS_REGION=${backend.region}`,
    );
  } else add("or", "with the AWS CLI:");
  lines.push(`    aws${at} s3 cp FILE ${raw}`, `    aws${at} s3 ls s3://${definition.buckets.curated}/ --recursive`);
  return lines.join("\n");
}
