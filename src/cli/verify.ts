import { formatBytes, formatCount, formatDuration, plural } from "../ui/format.ts";
import { type VerifyProgress, verifyLake } from "../verify/index.ts";
import type { CommandContext } from "./context.ts";
import { choosePlace, withLake } from "./lake.ts";
import type { LakeOptions } from "./options.ts";
import { renderVerify } from "./verifyReport.ts";

export interface VerifyOptions extends LakeOptions {
  all?: boolean;
  values?: boolean;
  unique?: boolean;
  /** Milliseconds since the epoch. */
  since?: number;
  /** Milliseconds. */
  timeout?: number;
}

export async function runVerify(context: CommandContext, keys: string[], options: VerifyOptions): Promise<void> {
  const { output, signal } = context;
  const { all, values, unique, since, timeout: timeoutMs } = options;
  await withLake(
    context,
    choosePlace(context, options),
    { doing: "Verifying the lake" },
    async ({ clients, definition, steps }) => {
      const report = await verifyLake({
        s3: await clients.s3(),
        sqs: await clients.sqs(),
        definition,
        ...(timeoutMs !== undefined && { timeoutMs }),
        ...(keys.length > 0 && { keys }),
        ...(values && { values }),
        ...(unique && { uniqueAcrossFiles: true }),
        ...(since !== undefined && { since }),
        signal,
        onProgress: (progress) => steps.update(describe(progress)),
      });
      steps.stop();
      if (!report.ok) context.exitCode = 1;
      if (options.json) return output.json(report);
      output.print(renderVerify(report, await output.colours("stdout"), { all, width: output.width("stdout") }));
    },
  );
}

function describe(progress: VerifyProgress): string {
  const { phase, objectsDone, objectsTotal, bytesDone, bytesTotal, objectsListed, elapsedMs, waiting } = progress;
  switch (phase) {
    case "list":
      return `Listing raw objects: ${formatCount(objectsTotal)}`;
    case "compare":
      return (
        `Comparing rows: ${formatCount(objectsDone)} of ${plural(objectsTotal, "raw object")}, ` +
        `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}${pace(progress)}`
      );
    case "wait":
      return `Waiting for work under way: ${plural(waiting, "raw object")} without a receipt, for ${formatDuration(elapsedMs)}`;
    case "again":
      return "Looking again: a function may have been at work";
    case "orphans":
      return `Looking for objects that no raw object explains: ${formatCount(objectsListed)} listed`;
    case "explain":
      return "Looking closer at what does not hold";
    case "duplicates":
      return "Looking for keys that stand in several files";
  }
}

/** Rate and remaining time, once there is something to judge by. Small objects take time by their number, large ones by their bytes. */
function pace({ objectsDone, objectsTotal, bytesDone, bytesTotal, elapsedMs }: VerifyProgress): string {
  const done = Math.min(objectsTotal === 0 ? 1 : objectsDone / objectsTotal, 1);
  const doneBytes = bytesTotal === 0 ? 1 : bytesDone / bytesTotal;
  // Both have to reach the end; a large object that is under way counts by its bytes.
  const share = objectsTotal < 100 ? doneBytes : (done + doneBytes) / 2;
  if (elapsedMs < 2_000 || share < 0.005) return "";
  const rate = `${formatBytes((bytesDone / elapsedMs) * 1_000)}/s`;
  if (share >= 1) return `, ${rate}`;
  return `, ${rate}, about ${formatDuration((elapsedMs / share) * (1 - share))} left`;
}
