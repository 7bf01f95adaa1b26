import { existsSync } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";
import type { Backend, Started } from "../backends/backend.ts";
import type { Clients } from "../backends/clients.ts";
import { type ConnectedLake, connectLake, createBackend } from "../backends/connect.ts";
import { readSession, type Session, writeSession } from "../backends/session.ts";
import {
  type Configuration,
  type PartialConfiguration,
  readConfigurationFile,
  resolveConfiguration,
} from "../lake/configuration.ts";
import type { LakeDefinition } from "../lake/definition.ts";
import type { OnProgress } from "../lake/progress.ts";
import { findPendingChanges } from "../lake/resources/definitionRecord.ts";
import { createSteps, type Steps } from "../ui/steps.ts";
import type { CommandContext } from "./context.ts";
import { showProgress } from "./lakeProgress.ts";
import type { EndpointOptions, LakeOptions } from "./options.ts";

/** Where a lake is, before anything is asked of it. */
export interface LakePlaceChoice {
  configuration: Configuration;
  backend: Backend;
  /** Absolute. */
  dataDir: string;
  /** What flags, environment and earlier sessions said. */
  told: PartialConfiguration;
}

export interface OpenLake extends LakePlaceChoice {
  clients: Clients;
  definition: LakeDefinition;
  started: Started;
  steps: Steps;
  onProgress: OnProgress;
}

/**
 * Options before environment before the last `up` before minilake.yaml before defaults.
 *
 * withoutContract   the contract that minilake.yaml names is not read: for what must work when it is broken
 * Throws MinilakeError Config and Usage
 */
export function choosePlace(
  context: CommandContext,
  options: LakeOptions & EndpointOptions,
  { withoutContract = false }: { withoutContract?: boolean } = {},
): LakePlaceChoice {
  const { cwd, environment } = context;
  const dataDir = resolve(cwd, options.dataDir ?? ".minilake");
  const session = readSession(dataDir);
  const file = readConfigurationFile(shortPath(resolve(cwd, options.config ?? "minilake.yaml")), {
    required: options.config !== undefined,
  });
  const { lake, region, backend: name, endpointUrl, port, profile } = options;
  const flags: PartialConfiguration = { lake, region, backend: name, endpointUrl, port, profile };
  const configuration = resolveConfiguration({ flags, environment, session: session?.told, file, withoutContract });
  const { strict, awsTiming, concurrency, faults } = options;
  const backend = createBackend(configuration, { dataDir, environment, strict, awsTiming, concurrency, faults });
  const said: PartialConfiguration[] = [
    flags,
    {
      region: environment.AWS_REGION || environment.AWS_DEFAULT_REGION || undefined,
      profile: environment.AWS_PROFILE || undefined,
      endpointUrl: environment.AWS_ENDPOINT_URL || undefined,
    },
    session?.told ?? {},
  ];
  const first = <K extends keyof PartialConfiguration>(key: K) =>
    said.find((source) => source[key] !== undefined)?.[key];
  const saysPlace = said.some((source) => source.backend !== undefined || source.endpointUrl !== undefined);
  const place: PartialConfiguration =
    backend.name === "embedded"
      ? { backend: "embedded" }
      : { backend: configuration.backend, endpointUrl: configuration.endpointUrl };
  return {
    configuration,
    backend,
    dataDir,
    told: {
      lake: first("lake"),
      region: first("region"),
      profile: first("profile"),
      port: first("port"),
      ...(saysPlace && place),
    },
  };
}

export interface WithLakeOptions {
  /** The step that is shown, such as "Bringing the lake up". */
  doing: string;
  /** Make the backend answer first; without it, one that does not is an error. */
  start?: boolean;
  /** The result is JSON: without a terminal, stderr is for problems alone. @default false */
  json?: boolean;
  /** The work brings the lake to its definition, or away: that it differs from it need not be told. @default false */
  changesLake?: boolean;
}

/** Opens the lake at a place, works on it, and lets go of it whatever happens. */
export async function withLake<T>(
  context: CommandContext,
  place: LakePlaceChoice,
  { doing, start = false, json = false, changesLake = false }: WithLakeOptions,
  work: (lake: OpenLake) => Promise<T>,
): Promise<T> {
  context.answerer = place.backend.name === "aws" ? "AWS" : "The endpoint";
  const steps = await createSteps(context.output, json);
  steps.start(doing);
  try {
    const onProgress = showProgress(steps, doing);
    const connected = await connectLake(place.configuration, place.backend, {
      start,
      onProgress,
      signal: context.signal,
    });
    try {
      if (!changesLake && (await warnOfPendingChanges(connected, steps))) steps.start(doing);
      return await work({ ...place, ...connected, steps, onProgress });
    } finally {
      connected.clients.destroy();
    }
  } finally {
    steps.stop();
  }
}

/** With a minilake.yaml that was changed after the last `up`, a command may wait for what the lake does not do yet. True when told. */
async function warnOfPendingChanges(lake: ConnectedLake, steps: Steps): Promise<boolean> {
  // What keeps it from being read is for the work to report.
  const pending = await findPendingChanges(lake).catch(() => []);
  if (pending.length === 0) return false;
  const aspects = pending.map(({ aspect }) => aspect).join(", ");
  steps.warn(`The lake was brought up with another definition (${aspects}). To bring it to this one: minilake up`);
  return true;
}

/** Lets the other commands find this lake without options; without it they need them again. */
export function rememberLake({ backend, definition, dataDir, told }: OpenLake): void {
  const session: Session = {
    version: 1,
    lake: definition.name,
    backend: backend.name,
    endpoint: backend.endpoint,
    region: backend.region,
    accountId: definition.accountId,
    // The profile's region may be another one next time; the lake stays where it is.
    told: backend.name === "aws" ? { ...told, region: backend.region } : told,
  };
  writeSession(dataDir, session);
}

/** True when an embedded endpoint has kept its state there. */
export function hasData(dataDir: string): boolean {
  return existsSync(join(dataDir, "store"));
}

/** As a person would type it from here: "minilake.yaml" rather than the whole path. */
export function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short === "" ? "." : short.startsWith("..") || isAbsolute(short) ? path : short;
}
