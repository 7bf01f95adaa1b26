import { formatBytes, formatCount, plural } from "../ui/format.ts";
import { type VerifyProgress, verifyLake } from "../verify/index.ts";
import type { CommandContext } from "./context.ts";
import { choosePlace, withLake } from "./lake.ts";
import type { LakeOptions } from "./options.ts";
import { renderVerify } from "./verifyReport.ts";

export interface VerifyOptions extends LakeOptions {
  all?: boolean;
  values?: boolean;
  /** Milliseconds. */
  timeout?: number;
}

export async function runVerify(context: CommandContext, keys: string[], options: VerifyOptions): Promise<void> {
  const { output, signal } = context;
  const { all, values, timeout: timeoutMs } = options;
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

function describe({ phase, objectsDone, objectsTotal, bytesDone, bytesTotal, waiting }: VerifyProgress): string {
  const objects = `${formatCount(objectsDone)} of ${plural(objectsTotal, "raw object")}`;
  switch (phase) {
    case "list":
      return `Listing raw objects: ${formatCount(objectsDone)}`;
    case "compare":
      return `Comparing rows: ${objects}, ${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`;
    case "wait":
      return `Waiting for work under way: ${plural(waiting, "raw object")} without a receipt`;
    case "again":
      return "Looking again: a function may have been at work";
    case "orphans":
      return "Looking for objects that no raw object explains";
    case "explain":
      return "Looking closer at what does not hold";
  }
}
