import { once } from "node:events";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import type { CommandContext } from "./context.ts";
import {
  addEndpointOptions,
  addExamples,
  addReportOptions,
  type EndpointOptions,
  parsePortOrAny,
  type ReportOptions,
} from "./options.ts";

interface EmulatorCommandOptions extends EndpointOptions, ReportOptions {
  dataDir: string;
  port: number;
  region?: string;
  accountId?: string;
}

export function emulatorCommand(context: CommandContext): Command {
  const command = new Command("emulator")
    .summary("run the embedded AWS endpoint in the foreground")
    .description(
      "Runs the embedded AWS endpoint in the foreground, for the AWS CLI, boto3, Terraform and tests.\n" +
        "It listens on 127.0.0.1 alone, keeps its state in a folder, and stops on Ctrl-C.",
    )
    .addOption(
      new Option("--port <number>", "port to listen on; 0 takes any free one").argParser(parsePortOrAny).default(4566),
    )
    .addOption(new Option("--data-dir <folder>", "where its state is kept").default(".minilake"))
    .addOption(new Option("--region <name>", "AWS region that it plays (default: us-east-1)"))
    .addOption(new Option("--account-id <digits>", "AWS account that it plays (default: 000000000000)"))
    .action((options: EmulatorCommandOptions) => runEmulator(context, options));
  addReportOptions(addEndpointOptions(command));
  return addExamples(command, [
    ["minilake emulator", "listen on port 4566"],
    ["minilake emulator --port 0 --json", "any free port; one line of JSON when ready"],
    ["aws --endpoint-url=http://localhost:4566 s3 ls", "use it, from another terminal"],
  ]);
}

/** Resolves when a signal has stopped the endpoint; that is its ordinary end and no interruption. */
async function runEmulator(context: CommandContext, options: EmulatorCommandOptions): Promise<void> {
  const { output } = context;
  const { startEmulator } = await import("../emulator/server.ts");
  const environment = context.environment;
  const emulator = await startEmulator({
    dataDir: resolve(context.cwd, options.dataDir),
    port: options.port,
    region: options.region ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION,
    accountId: options.accountId,
    strict: options.strict,
    awsTiming: options.awsTiming,
    concurrency: options.concurrency,
    faults: options.faults,
    report: (message, error) =>
      output.note(error instanceof Error ? `${message}\n${options.verbose ? error.stack : error.message}` : message),
  });
  try {
    const { endpoint, credentials, region, accountId, faults } = emulator;
    const ready = { ready: true, endpoint, ...credentials, pid: process.pid, region, accountId, faults };
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
  emulator: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } },
  options: EmulatorCommandOptions,
): Promise<string> {
  const colours = await output.colours("stdout");
  const { accessKeyId, secretAccessKey } = options.strict
    ? emulator.credentials
    : { accessKeyId: "test", secretAccessKey: "test" };
  return [
    `${colours.green("✔")} The embedded AWS endpoint listens at ${colours.bold(emulator.endpoint)}; Ctrl-C stops it.`,
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
