import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { portTaken } from "../backends/embedded.ts";
import { type Emulator, startEmulator } from "../emulator/server.ts";
import { isDamageError } from "../emulator/store/findDamage.ts";
import { damagedStore } from "../emulator/store/folderErrors.ts";
import { MinilakeError } from "../errors.ts";
import type { CommandContext } from "./context.ts";
import type { EndpointOptions, ReportOptions } from "./options.ts";

interface EmulatorCommandOptions extends EndpointOptions, ReportOptions {
  dataDir: string;
  port: number;
  region?: string;
  accountId?: string;
}

/** Resolves when a signal has stopped the endpoint; that is its ordinary end and no interruption. */
export async function runEmulator(context: CommandContext, options: EmulatorCommandOptions): Promise<void> {
  const { output } = context;
  const environment = context.environment;
  const dataDir = resolve(context.cwd, options.dataDir);
  const isNew = !existsSync(dataDir);
  const emulator = await startEmulator({
    dataDir,
    port: options.port,
    region: options.region ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION,
    accountId: options.accountId,
    strict: options.strict,
    awsTiming: options.awsTiming,
    concurrency: options.concurrency,
    faults: options.faults,
    report: (message, error) =>
      output.note(error instanceof Error ? `${message}\n${options.verbose ? error.stack : error.message}` : message),
  }).catch(async (error: unknown) => {
    if (isDamageError(error)) throw damagedStore(dataDir, error);
    if (error instanceof MinilakeError && error.code === "PortInUse") {
      if (isNew) rmSync(dataDir, { recursive: true, force: true });
      throw await portTaken(options.port, "emulator");
    }
    throw error;
  });
  try {
    const { endpoint, credentials, region, accountId, faults } = emulator;
    const strict = options.strict ?? false;
    const ready = { ready: true, endpoint, ...credentials, pid: process.pid, region, accountId, faults, strict };
    if (options.json) output.json(ready, true);
    else output.print(await welcome(context, emulator, options));
    if (!context.signal.aborted) await once(context.signal, "abort");
    if (!options.json) output.note("Stopping …");
  } finally {
    await emulator.close();
  }
}

async function welcome(
  { output }: CommandContext,
  emulator: Pick<Emulator, "endpoint" | "region" | "credentials" | "faults">,
  options: EmulatorCommandOptions,
): Promise<string> {
  const colours = await output.colours("stdout");
  const { accessKeyId, secretAccessKey } = options.strict
    ? emulator.credentials
    : { accessKeyId: "test", secretAccessKey: "test" };
  return [
    `${colours.green("✔")} The embedded AWS endpoint listens at ${colours.bold(emulator.endpoint)}; Ctrl-C stops it.`,
    ...(emulator.faults === "none"
      ? []
      : [`  It misbehaves on purpose, the same way each time with --faults '${emulator.faults}'`]),
    "",
    "  In another terminal:",
    "",
    `    export AWS_ENDPOINT_URL=${emulator.endpoint} AWS_REGION=${emulator.region}`,
    `    export AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
    "    aws s3 mb s3://first-bucket",
    "    aws s3 ls",
    "",
  ].join("\n");
}
