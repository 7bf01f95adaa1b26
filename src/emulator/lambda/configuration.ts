import type { FunctionConfiguration } from "@aws-sdk/client-lambda";
import { AwsError, notImplemented } from "../awsError.ts";
import {
  constraintViolation,
  invalidParameter,
  matching,
  maxLength,
  missing,
  oneOf,
  optionalInteger,
  optionalObject,
  optionalString,
  optionalStringList,
  optionalStringMap,
} from "./constraints.ts";
import { RESERVED_VARIABLES } from "./environmentVariables.ts";
import type { FunctionRecord, VersionRecord } from "./records.ts";
import { requireRuntime } from "./runtimes.ts";
import { runtimeVersionArn } from "./systemLog.ts";

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_ENVIRONMENT_BYTES = 4096;
const ROLE_PATTERN = "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+";
const ROLE = /^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role\/?[a-zA-Z_0-9+=,.@\-_/]+$/;
const VARIABLE_NAME = /^[a-zA-Z][a-zA-Z0-9_]+$/;
const HANDLER = /^[^\s]+$/;
const LOG_GROUP_PATTERN = "[\\.\\-_/#A-Za-z0-9]+";
const LOG_GROUP = /^[.\-_/#A-Za-z0-9]+$/;
const LOG_LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] as const;
const SYSTEM_LEVELS = ["DEBUG", "INFO", "WARN"] as const;

/** The part of a version that CreateFunction and UpdateFunctionConfiguration set. */
export type Settings = Pick<
  VersionRecord,
  | "description"
  | "runtime"
  | "role"
  | "handler"
  | "timeoutSeconds"
  | "memoryMb"
  | "ephemeralStorageMb"
  | "environment"
  | "deadLetterArn"
  | "tracingMode"
  | "kmsKeyArn"
  | "logging"
>;

type Input = Readonly<Record<string, unknown>>;

/**
 * Reads the configuration members of a request. A member that is absent keeps its value in `current`, or gets AWS's default.
 * Throws ValidationException and InvalidParameterValueException in AWS's words, and 501 by name for what does not exist here
 * (VPC, file systems, layers, SnapStart, X-Ray, KMS keys). EphemeralStorage is enforced by the runtimes.
 */
export function readSettings(functionName: string, input: Input, current: Settings | undefined): Settings {
  refuseUnsupported(input);
  const role = optionalString(input, "Role") ?? current?.role;
  if (role === undefined) throw missing("Role");
  matching("role", role, ROLE, ROLE_PATTERN);
  const runtime = optionalString(input, "Runtime") ?? current?.runtime;
  if (runtime === undefined) {
    throw invalidParameter(
      "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
    );
  }
  requireRuntime(runtime);
  const handler = optionalString(input, "Handler") ?? current?.handler;
  if (handler === undefined) {
    throw invalidParameter(
      "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
    );
  }
  maxLength("handler", handler, 128);
  matching("handler", handler, HANDLER, "[^\\s]+");
  const description = optionalString(input, "Description") ?? current?.description ?? "";
  maxLength("description", description, 256);
  const kmsKeyArn = current?.kmsKeyArn;
  const deadLetterArn = readDeadLetter(input, current?.deadLetterArn);
  const environment = readEnvironment(input, current?.environment);
  const storage = optionalObject(input, "EphemeralStorage");
  const tracingMode = readTracing(input);
  return {
    description,
    runtime,
    role,
    handler,
    timeoutSeconds: optionalInteger(input, "Timeout", 1, 900) ?? current?.timeoutSeconds ?? 3,
    memoryMb: optionalInteger(input, "MemorySize", 128, 10_240) ?? current?.memoryMb ?? 128,
    ephemeralStorageMb:
      (storage && optionalInteger(storage, "Size", 512, 10_240, "ephemeralStorage.size")) ??
      current?.ephemeralStorageMb ??
      512,
    tracingMode: tracingMode ?? current?.tracingMode ?? "PassThrough",
    logging: readLogging(functionName, input, current?.logging),
    ...(environment === undefined ? {} : { environment }),
    ...(deadLetterArn ? { deadLetterArn } : {}),
    ...(kmsKeyArn ? { kmsKeyArn } : {}),
  };
}

function refuseUnsupported(input: Input): void {
  const packageType = optionalString(input, "PackageType");
  if (packageType !== undefined && oneOf("packageType", packageType, ["Image", "Zip"] as const) === "Image") {
    throw notImplemented("lambda container images (PackageType Image)");
  }
  if ((optionalStringList(input, "Layers") ?? []).length > 0) throw notImplemented("lambda layers");
  const vpc = optionalObject(input, "VpcConfig");
  const inVpc = [
    ...(optionalStringList(vpc ?? {}, "SubnetIds") ?? []),
    ...(optionalStringList(vpc ?? {}, "SecurityGroupIds") ?? []),
  ];
  if (inVpc.length > 0) throw notImplemented("lambda functions in a VPC (VpcConfig)");
  const fileSystems = input.FileSystemConfigs;
  if (Array.isArray(fileSystems) && fileSystems.length > 0)
    throw notImplemented("lambda file systems (FileSystemConfigs)");
  const snapStart = optionalObject(input, "SnapStart");
  if (snapStart && optionalString(snapStart, "ApplyOn") === "PublishedVersions")
    throw notImplemented("lambda SnapStart");
  for (const member of ["ImageConfig", "CapacityProviderConfig", "DurableConfig", "TenancyConfig"]) {
    const value = input[member];
    if (typeof value === "object" && value !== null && Object.keys(value).length > 0) {
      throw notImplemented(`lambda ${member}`);
    }
  }
  if (optionalString(input, "CodeSigningConfigArn")) throw notImplemented("lambda code signing");
  if (optionalString(input, "KMSKeyArn")) throw notImplemented("lambda encryption with a key of one's own (KMSKeyArn)");
}

function readTracing(input: Input): VersionRecord["tracingMode"] | undefined {
  const tracing = optionalObject(input, "TracingConfig");
  const mode = tracing && optionalString(tracing, "Mode");
  if (!mode) return undefined;
  const chosen = oneOf("tracingConfig.mode", mode, ["Active", "PassThrough"] as const);
  if (chosen === "Active") throw notImplemented("lambda tracing with X-Ray (TracingConfig Active)");
  return chosen;
}

function readDeadLetter(input: Input, current: string | undefined): string | undefined {
  const config = optionalObject(input, "DeadLetterConfig");
  if (!config) return current;
  const arn = optionalString(config, "TargetArn");
  if (!arn) return undefined;
  if (!/^arn:(aws[a-zA-Z0-9-]*):[a-zA-Z0-9-]+:[a-z0-9-]*:\d{12}:.+$/.test(arn)) {
    throw constraintViolation(
      "deadLetterConfig.targetArn",
      arn,
      "satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()",
    );
  }
  if (arn.split(":")[2] === "sns") throw notImplemented("lambda dead letters to SNS");
  if (arn.split(":")[2] !== "sqs") {
    throw invalidParameter(
      `Invalid value for DeadLetterConfig.TargetArn: ${arn} is neither an SQS queue nor an SNS topic`,
    );
  }
  return arn;
}

function readEnvironment(
  input: Input,
  current: Record<string, string> | undefined,
): Record<string, string> | undefined {
  const environment = optionalObject(input, "Environment");
  if (!environment) return current;
  const variables = optionalStringMap(environment, "Variables") ?? {};
  const reserved = Object.keys(variables).filter((name) => RESERVED_VARIABLES.has(name));
  if (reserved.length > 0) {
    throw invalidParameter(
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(", ")}`,
    );
  }
  if (Object.keys(variables).some((name) => !VARIABLE_NAME.test(name))) {
    throw new AwsError(
      "ValidationException",
      "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
    );
  }
  const text = JSON.stringify(variables);
  if (Buffer.byteLength(text) > MAX_ENVIRONMENT_BYTES) {
    throw invalidParameter(
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${text}`,
    );
  }
  return variables;
}

function readLogging(
  functionName: string,
  input: Input,
  current: VersionRecord["logging"] | undefined,
): VersionRecord["logging"] {
  const config = optionalObject(input, "LoggingConfig");
  const before = current ?? { format: "Text" as const, group: `/aws/lambda/${functionName}` };
  if (!config) return before;
  const format = optionalString(config, "LogFormat");
  const group = optionalString(config, "LogGroup") ?? before.group;
  maxLength("loggingConfig.logGroup", group, 512);
  matching("loggingConfig.logGroup", group, LOG_GROUP, LOG_GROUP_PATTERN);
  const chosen =
    format === undefined ? before.format : oneOf("loggingConfig.logFormat", format, ["JSON", "Text"] as const);
  const application = optionalString(config, "ApplicationLogLevel");
  const system = optionalString(config, "SystemLogLevel");
  if (chosen === "Text") {
    if (application !== undefined || system !== undefined) {
      throw invalidParameter("To set ApplicationLogLevel or SystemLogLevel, LogFormat must be JSON.");
    }
    return { format: "Text", group };
  }
  return {
    format: "JSON",
    group,
    applicationLevel: application
      ? oneOf("loggingConfig.applicationLogLevel", application, LOG_LEVELS)
      : (before.applicationLevel ?? "INFO"),
    systemLevel: system ? oneOf("loggingConfig.systemLogLevel", system, SYSTEM_LEVELS) : (before.systemLevel ?? "INFO"),
  };
}

/** Throws 501 for an architecture whose programs this machine cannot run. */
export function readArchitecture(input: Input, current: VersionRecord["architecture"]): VersionRecord["architecture"] {
  const architectures = optionalStringList(input, "Architectures");
  if (!architectures || architectures.length === 0) return current;
  if (architectures.length > 1) {
    throw constraintViolation("architectures", `[${architectures.join(", ")}]`, "have length less than or equal to 1");
  }
  const architecture = oneOf("architectures", architectures[0]!, ["x86_64", "arm64"] as const);
  // Only arm64 is refused: x86_64 is the default, which nobody chose, and on an arm64 machine runs as long as it is not compiled code.
  if (architecture === "arm64" && process.arch !== "arm64") {
    throw notImplemented(`lambda functions for arm64 on a machine that is ${process.arch} (Architectures)`);
  }
  return architecture;
}

/** "2026-02-18T11:19:29.123+0000" */
export const lambdaTime = (ms: number): string => new Date(ms).toISOString().replace("Z", "+0000");

export const base64Hash = (hex: string): string => Buffer.from(hex, "hex").toString("base64");

/**
 * A version as the API shows it.
 *
 * withStatus    false in lists, which have no State members and no runtime version
 * qualifier     the version or alias that the ARN names; "" for none. By default a published version, and no $LATEST.
 */
export function toConfiguration(
  record: Readonly<FunctionRecord>,
  version: VersionRecord,
  region: string,
  { withStatus = true, qualifier = version.version === "$LATEST" ? "" : version.version } = {},
): FunctionConfiguration {
  const { logging } = version;
  const configuration: FunctionConfiguration = {
    FunctionName: record.name,
    FunctionArn: qualifier === "" ? record.arn : `${record.arn}:${qualifier}`,
    Runtime: version.runtime as FunctionConfiguration["Runtime"],
    Role: version.role,
    Handler: version.handler,
    CodeSize: version.codeSize,
    Description: version.description,
    Timeout: version.timeoutSeconds,
    MemorySize: version.memoryMb,
    LastModified: lambdaTime(version.lastModified),
    CodeSha256: base64Hash(version.codeHash),
    Version: version.version,
    ...(version.environment === undefined ? {} : { Environment: { Variables: version.environment } }),
    ...(version.deadLetterArn === undefined ? {} : { DeadLetterConfig: { TargetArn: version.deadLetterArn } }),
    ...(version.kmsKeyArn === undefined ? {} : { KMSKeyArn: version.kmsKeyArn }),
    TracingConfig: { Mode: version.tracingMode },
    RevisionId: version.revisionId,
    PackageType: "Zip",
    Architectures: [version.architecture],
    EphemeralStorage: { Size: version.ephemeralStorageMb },
    SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
    LoggingConfig: {
      LogFormat: logging.format,
      LogGroup: logging.group,
      ...(logging.format === "JSON"
        ? { ApplicationLogLevel: logging.applicationLevel, SystemLogLevel: logging.systemLevel }
        : {}),
    },
  };
  if (!withStatus) return configuration;
  configuration.RuntimeVersionConfig = { RuntimeVersionArn: runtimeVersionArn(region, version.runtime) };
  configuration.State = version.state;
  if (version.state === "Pending") {
    configuration.StateReason = "The function is being created.";
    configuration.StateReasonCode = "Creating";
  }
  if (version.updateStatus) configuration.LastUpdateStatus = version.updateStatus;
  if (version.updateStatus === "InProgress") {
    configuration.LastUpdateStatusReason = "The function is being created.";
    // Recorded on AWS in 2025, though the SDK's list of codes does not have it.
    configuration.LastUpdateStatusReasonCode = "Creating" as FunctionConfiguration["LastUpdateStatusReasonCode"];
  }
  return configuration;
}
