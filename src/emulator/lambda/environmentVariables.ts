import type { VersionRecord } from "./records.ts";
import { runtimesFolder } from "./runtimes.ts";

/** Names that a function's own configuration cannot set. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
export const RESERVED_VARIABLES = new Set([
  "_HANDLER",
  "_X_AMZN_TRACE_ID",
  "AWS_DEFAULT_REGION",
  "AWS_REGION",
  "AWS_EXECUTION_ENV",
  "AWS_LAMBDA_FUNCTION_NAME",
  "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
  "AWS_LAMBDA_FUNCTION_VERSION",
  "AWS_LAMBDA_INITIALIZATION_TYPE",
  "AWS_LAMBDA_LOG_GROUP_NAME",
  "AWS_LAMBDA_LOG_STREAM_NAME",
  "AWS_ACCESS_KEY",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_LAMBDA_RUNTIME_API",
  "LAMBDA_TASK_ROOT",
  "LAMBDA_RUNTIME_DIR",
]);

/**
 * Everything that a function finds in its environment, and nothing of this process's own.
 *
 * Beyond AWS's: AWS_ENDPOINT_URL, so that SDKs find this endpoint; AWS_EC2_METADATA_DISABLED, so that none looks for another source of
 * credentials; MINILAKE_TMP, because without containers each environment's /tmp is a folder of its own, which the runtimes redirect
 * to, and TMPDIR, by which native code finds it.
 */
export function environmentVariables(options: {
  functionName: string;
  version: VersionRecord;
  region: string;
  endpoint: string;
  taskRoot: string;
  temporaryFolder: string;
  logStream: string;
  runtimeApi: string;
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string };
}): Record<string, string> {
  const { version, taskRoot, credentials } = options;
  const runtime: Record<string, string> = version.runtime.startsWith("nodejs")
    ? {
        NODE_PATH: `/opt/nodejs/${version.runtime.replace("js", "").replace(".x", "")}/node_modules:/opt/nodejs/node_modules:${taskRoot}`,
      }
    : { PYTHONPATH: runtimesFolder() };
  return {
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    PATH: "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    LD_LIBRARY_PATH: `${taskRoot}:${taskRoot}/lib:/opt/lib`,
    PWD: taskRoot,
    SHLVL: "0",
    TMPDIR: options.temporaryFolder,
    AWS_XRAY_CONTEXT_MISSING: "LOG_ERROR",
    AWS_XRAY_DAEMON_ADDRESS: "169.254.79.129:2000",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ENDPOINT_URL: options.endpoint,
    ...runtime,
    ...version.environment,
    MINILAKE_TMP: `${version.ephemeralStorageMb}:${options.temporaryFolder}`,
    _HANDLER: version.handler,
    AWS_REGION: options.region,
    AWS_DEFAULT_REGION: options.region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${version.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: options.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: version.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(version.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: version.logging.group,
    AWS_LAMBDA_LOG_STREAM_NAME: options.logStream,
    ...(version.logging.format === "JSON"
      ? { AWS_LAMBDA_LOG_FORMAT: "JSON", AWS_LAMBDA_LOG_LEVEL: version.logging.applicationLevel ?? "INFO" }
      : {}),
    AWS_LAMBDA_RUNTIME_API: options.runtimeApi,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    LAMBDA_TASK_ROOT: taskRoot,
    LAMBDA_RUNTIME_DIR: runtimesFolder(),
  };
}
