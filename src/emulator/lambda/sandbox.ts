import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Caller } from "../access.ts";
import type { EmulatorSettings } from "../settings.ts";
import { environmentVariables } from "./environmentVariables.ts";
import { type LogWriter, StreamLog } from "./functionLog.ts";
import type { VersionRecord } from "./records.ts";
import { RuntimeApi, type RuntimeListener } from "./runtimeApi.ts";
import { SystemLog } from "./systemLog.ts";

export type AssumeRole = (
  roleArn: string,
  sessionName: string,
) => {
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string; expiration: number };
  caller: Caller;
};

/** What an execution environment is made of once, and all of its processes share. */
export interface Sandbox {
  api: RuntimeApi;
  log: StreamLog;
  systemLog: SystemLog;
  /** Of each process. */
  variables: Record<string, string>;
  /** Milliseconds since the epoch. */
  credentialsExpire: number;
}

/**
 * Makes /tmp, the log stream, the role's credentials and a Runtime API that listens.
 *
 * folder   of this environment alone; its `tmp` becomes the function's /tmp
 * Throws   AwsError when the role cannot be assumed
 */
export async function makeSandbox(options: {
  functionName: string;
  version: VersionRecord;
  taskRoot: string;
  folder: string;
  settings: EmulatorSettings;
  logs: LogWriter;
  assumeRole: AssumeRole;
  listener: RuntimeListener;
}): Promise<Sandbox> {
  const { functionName, version, taskRoot, settings } = options;
  const { credentials, caller } = options.assumeRole(version.role, functionName);
  const temporaryFolder = join(options.folder, "tmp");
  mkdirSync(temporaryFolder, { recursive: true });
  const day = new Date(settings.now()).toISOString().slice(0, 10).replaceAll("-", "/");
  // A group that several functions may write to: their streams say whose they are.
  const owner = version.logging.group === `/aws/lambda/${functionName}` ? "" : functionName;
  const logStream = `${day}/${owner}[${version.version}]${randomBytes(16).toString("hex")}`;
  const log = new StreamLog(options.logs, settings.now, caller, version.logging.group, logStream);
  const api = new RuntimeApi(options.listener);
  const runtimeApi = await api.listen();
  const variables = environmentVariables({
    functionName,
    version,
    region: settings.region,
    endpoint: settings.endpoint(),
    taskRoot,
    temporaryFolder,
    logStream,
    runtimeApi,
    credentials,
  });
  const systemLog = new SystemLog(log, functionName, version, settings.region);
  return { api, log, systemLog, variables, credentialsExpire: credentials.expiration };
}
