import { readFileSync } from "node:fs";
import type { FunctionConfiguration } from "../contract/functionConfiguration.ts";
import { MinilakeError } from "../errors.ts";
import { parseConfiguration } from "./configurationFile.ts";
import { readContractSettings } from "./contractSettings.ts";
import type { LakeSettings, Retention } from "./definition.ts";
import { checks } from "./settingChecks.ts";

export type BackendChoice = "embedded" | "localstack" | "endpoint" | "aws";

/** What one source says; undefined leaves it to the next. */
export interface PartialConfiguration {
  lake?: string | undefined;
  region?: string | undefined;
  partition?: { column?: string | undefined; as?: string | undefined; timezone?: string | undefined } | undefined;
  dialect?: FunctionConfiguration["dialect"] | undefined;
  /** Path of a data contract, from the folder of the file that names it. */
  contract?: string | undefined;
  /** Which schema of the contract, when it has several. */
  schema?: string | undefined;
  format?: "csv" | "parquet" | undefined;
  retention?: Retention | undefined;
  onDelete?: "remove" | "keep" | undefined;
  backend?: BackendChoice | undefined;
  endpointUrl?: string | undefined;
  /** Of the embedded endpoint. */
  port?: number | undefined;
  profile?: string | undefined;
  function?:
    | {
        /** MB */
        memory?: number | undefined;
        /** Seconds. */
        timeout?: number | undefined;
        /** Most runs of one function at a time. */
        concurrency?: number | undefined;
        /** AWS_ENDPOINT_URL of the functions, when it is another one than ours. */
        endpointUrl?: string | undefined;
      }
    | undefined;
}

/** Everything decided and checked. */
export interface Configuration extends LakeSettings {
  backend: BackendChoice;
  /** Where the backend is "endpoint", or LocalStack elsewhere than on its usual port. */
  endpointUrl?: string | undefined;
  /** Who named `endpointUrl`; an environment variable may be meant for other tools as well. */
  endpointFrom?: "flag" | "environment" | "session" | "file" | undefined;
  /** Nobody has named a region. */
  regionIsDefault: boolean;
  functionEndpointUrl?: string | undefined;
  port: number;
  profile?: string | undefined;
  /** The environment has keys of its own for the SDK's default chain. */
  environmentCredentials: boolean;
  /** The file that was read. */
  file?: string | undefined;
  /** What the contract's document says and minilake does not act on. */
  contractNotes: string[];
}

export interface ConfigurationSources {
  /** Of the command line, checked by it. */
  flags?: PartialConfiguration | undefined;
  environment?: Record<string, string | undefined> | undefined;
  /** What an earlier `up` was told by flags and environment. */
  session?: PartialConfiguration | undefined;
  file?: { path: string; values: PartialConfiguration } | undefined;
  /** True: the contract is not read. For `down`, which removes a lake whether or not its contract is in order. */
  withoutContract?: boolean | undefined;
}

export const DEFAULT_PORT = 4566;
/** One whole vCPU, as Lambda shares them out: curating is bound by the processor, so less memory costs the same and takes longer. */
const DEFAULT_MEMORY_MB = 1769;
/**
 * DuckDB writes Parquet with several threads, whose buffers are beside Node's own memory, and at this size Lambda gives it
 * 1.7 processors. It is also the most that an account new to AWS may ask for.
 */
const DEFAULT_PARQUET_MEMORY_MB = 3008;
/** Lambda's longest. */
const DEFAULT_TIMEOUT_SECONDS = 900;

/** Flags before environment before session before file before defaults, key by key. Throws MinilakeError Config, or Usage for a flag. */
export function resolveConfiguration(sources: ConfigurationSources): Configuration {
  const flags = checkFlags(sources.flags ?? {});
  const environment = readEnvironment(sources.environment ?? {});
  const session = sources.session ?? {};
  const file = sources.file?.values ?? {};
  const layers = [flags, environment, session, file];
  const first = <K extends keyof PartialConfiguration>(key: K): PartialConfiguration[K] =>
    layers.find((layer) => layer[key] !== undefined)?.[key];
  // The first source that says anything about the place decides all of it: a flag for the embedded endpoint beats a URL in the file.
  const placeLayer = layers.find(({ backend, endpointUrl }) => backend !== undefined || endpointUrl !== undefined);
  const endpointUrl = placeLayer?.endpointUrl;
  const backend = placeLayer?.backend ?? (endpointUrl === undefined ? "embedded" : "endpoint");
  if (backend === "endpoint" && endpointUrl === undefined) {
    throw new MinilakeError("Config", 'The backend "endpoint" needs to know where it is.', {
      hint: "Give --endpoint-url http://localhost:4566, or the line endpointUrl: in minilake.yaml.",
    });
  }
  if (endpointUrl !== undefined && (backend === "embedded" || backend === "aws")) {
    throw new MinilakeError(
      placeLayer === flags ? "Usage" : "Config",
      `An endpoint URL (${endpointUrl}) does not go with the backend "${backend}".`,
      {
        hint:
          backend === "embedded"
            ? "Choose its port with --port, or leave the backend out to use that endpoint."
            : "Leave one of the two out.",
      },
    );
  }
  const functionSettings = file.function ?? {};
  const contract = sources.file && !sources.withoutContract ? readContractSettings(sources.file) : undefined;
  const partition = { ...file.partition, ...contract?.partition };
  const dialect = contract?.dialect ?? file.dialect ?? {};
  checkPartitionIsThere(partition.column, dialect.columns, sources.file?.path);
  const format = file.format ?? "csv";
  return {
    lake: first("lake") ?? "transactions",
    region: first("region") ?? "us-east-1",
    regionIsDefault: first("region") === undefined,
    partition: {
      column: partition.column,
      as: partition.as ?? "dt_reference",
      timezone: partition.timezone ?? "UTC",
    },
    dialect,
    contract: contract?.contract,
    contractNotes: contract?.notes ?? [],
    format,
    retention: file.retention,
    onDelete: first("onDelete") ?? "remove",
    memoryMb: functionSettings.memory ?? (format === "parquet" ? DEFAULT_PARQUET_MEMORY_MB : DEFAULT_MEMORY_MB),
    timeoutSeconds: functionSettings.timeout ?? DEFAULT_TIMEOUT_SECONDS,
    functionConcurrency: functionSettings.concurrency,
    functionEndpointUrl: functionSettings.endpointUrl,
    backend,
    endpointUrl,
    endpointFrom: endpointUrl === undefined ? undefined : originOf(placeLayer, { flags, environment, session }),
    port: first("port") ?? DEFAULT_PORT,
    profile: first("profile"),
    environmentCredentials: Boolean(
      sources.environment?.AWS_ACCESS_KEY_ID && sources.environment?.AWS_SECRET_ACCESS_KEY,
    ),
    file: sources.file?.path,
  };
}

/** Files without a header have just the columns that are listed. */
function checkPartitionIsThere(
  column: string | undefined,
  columns: string[] | undefined,
  path = "minilake.yaml",
): void {
  if (column === undefined || columns === undefined || columns.includes(column)) return;
  throw new MinilakeError("Config", `${path}: partition.column is "${column}", which is not among dialect.columns`, {
    hint: `dialect.columns are: ${columns.join(", ")}.`,
  });
}

function originOf(
  layer: PartialConfiguration | undefined,
  { flags, environment, session }: Record<"flags" | "environment" | "session", PartialConfiguration>,
): Configuration["endpointFrom"] {
  if (layer === flags) return "flag";
  if (layer === environment) return "environment";
  return layer === session ? "session" : "file";
}

/** The variables that every AWS tool knows. */
function readEnvironment(variables: Record<string, string | undefined>): PartialConfiguration {
  const read = (...names: string[]) => {
    const name = names.find((each) => variables[each] !== undefined && variables[each] !== "");
    return name === undefined ? undefined : ([name, variables[name]!] as const);
  };
  const checked = (found: readonly [string, string] | undefined, check: (value: unknown) => string | undefined) => {
    const problem = found && check(found[1]);
    if (problem) {
      throw new MinilakeError("Config", `The environment variable ${found[0]} is "${found[1]}": ${problem}.`, {
        hint: `Change it, or: unset ${found[0]}`,
      });
    }
    return found?.[1];
  };
  return {
    endpointUrl: checked(read("AWS_ENDPOINT_URL"), checks.url)?.replace(/\/+$/, ""),
    region: checked(read("AWS_REGION", "AWS_DEFAULT_REGION"), checks.region),
    profile: read("AWS_PROFILE")?.[1],
  };
}

function checkFlags(flags: PartialConfiguration): PartialConfiguration {
  const check = (flag: string, value: unknown, problemOf: (value: unknown) => string | undefined) => {
    const problem = value === undefined ? undefined : problemOf(value);
    if (problem) throw new MinilakeError("Usage", `${flag} ${String(value)}: ${problem}.`);
  };
  check("--lake", flags.lake, checks.lake);
  check("--region", flags.region, checks.region);
  check("--endpoint-url", flags.endpointUrl, checks.url);
  check("--port", flags.port, checks.port);
  return flags;
}

/**
 * The file's values with every one of them checked; undefined when there is no such file and none was asked for by name.
 * Throws MinilakeError Config with file, line and column.
 */
export function readConfigurationFile(
  path: string,
  options: { required?: boolean } = {},
): { path: string; values: PartialConfiguration } | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" && !options.required) return undefined;
    const why = code === "ENOENT" ? "there is no such file" : (cause as Error).message;
    throw new MinilakeError("Config", `${path} cannot be read: ${why}`, { cause });
  }
  return { path, values: parseConfiguration(text, path) };
}
