import { verifyLake } from "../verify/index.ts";
import type { CommandContext } from "./context.ts";
import { choosePlace, withLake } from "./lake.ts";
import type { LakeOptions } from "./options.ts";
import { describeProgress } from "./verifyProgress.ts";
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
        onProgress: (progress) => steps.update(describeProgress(progress)),
      });
      steps.stop();
      if (!report.ok) context.exitCode = 1;
      if (options.json) return output.json(report);
      output.print(renderVerify(report, await output.colours("stdout"), { all, width: output.width("stdout") }));
    },
  );
}
