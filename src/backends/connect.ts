import { MinilakeError } from "../errors.ts";
import { type Configuration, DEFAULT_PORT } from "../lake/configuration.ts";
import { defineLake, type LakeDefinition } from "../lake/definition.ts";
import { awsBackend } from "./aws.ts";
import type { Backend, Started, StartOptions } from "./backend.ts";
import { type Clients, createClients } from "./clients.ts";
import { explainCredentials } from "./credentialErrors.ts";
import { embeddedBackend } from "./embedded.ts";
import { endpointBackend, unreachable } from "./endpoint.ts";
import { localstackBackend } from "./localstack.ts";

export interface BackendSettings {
  /** Absolute; of the embedded endpoint. */
  dataDir: string;
  environment: Record<string, string | undefined>;
  /** How the embedded endpoint behaves when this run starts it. */
  strict?: boolean | undefined;
  awsTiming?: boolean | undefined;
  concurrency?: number | undefined;
  faults?: string | undefined;
}

/** The backend that a configuration names. */
export function createBackend(configuration: Configuration, settings: BackendSettings): Backend {
  const { region, profile, endpointUrl, functionEndpointUrl } = configuration;
  const { environment } = settings;
  switch (configuration.backend) {
    case "aws":
      return awsBackend({ region, profile, regionIsDefault: configuration.regionIsDefault });
    case "localstack":
      return localstackBackend({
        region,
        url: endpointUrl,
        functionEndpoint: functionEndpointUrl,
        authToken: environment.LOCALSTACK_AUTH_TOKEN,
        environment,
      });
    case "endpoint":
      // AWS_ENDPOINT_URL is set for the AWS CLI, too: the embedded endpoint's own address means the embedded endpoint.
      if (configuration.endpointFrom === "environment" && isEmbeddedAddress(endpointUrl!, configuration.port)) break;
      return endpointBackend({
        region,
        url: endpointUrl!,
        functionEndpoint: functionEndpointUrl,
        profile,
        defaultCredentials: configuration.environmentCredentials,
      });
    case "embedded":
      break;
  }
  const { dataDir, strict, awsTiming, concurrency, faults } = settings;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  const port = configuration.port;
  return embeddedBackend({
    region,
    port,
    dataDir,
    strict,
    awsTiming,
    concurrency: concurrency ?? configuration.functionConcurrency,
    faults,
    credentials: strict && accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
  });
}

function isEmbeddedAddress(url: string, port: number): boolean {
  const { hostname, port: given } = new URL(url);
  const loopback = hostname === "localhost" || hostname === "127.0.0.1" || hostname.endsWith(".localhost");
  return loopback && Number(given || 80) === (port ?? DEFAULT_PORT);
}

export interface ConnectedLake {
  backend: Backend;
  clients: Clients;
  definition: LakeDefinition;
  started: Started;
}

/**
 * Clients and definition of the lake on a backend that answers. With `start` the backend is made to answer first;
 * without it, one that does not is an error.
 * Throws MinilakeError NoLake, EndpointUnreachable and what `Backend.start` throws.
 */
export async function connectLake(
  configuration: Configuration,
  backend: Backend,
  options: StartOptions & { start?: boolean } = {},
): Promise<ConnectedLake> {
  let started: Started = { started: false, endpoint: backend.endpoint };
  if (options.start) started = await backend.start(options);
  else if (!(await backend.isRunning())) throw notRunning(backend);
  const clients = createClients(backend);
  try {
    const accountId = backend.accountId ?? (await askAccount(clients, backend.profile));
    const definition = defineLake(
      { ...configuration, region: backend.region },
      {
        accountId,
        globalBucketNames: backend.globalBucketNames,
        functionEndpoint: backend.functionEndpoint,
        architecture: backend.architecture,
        functionsRunHere: backend.functionsRunHere ?? false,
        // An endpoint may be reached by plain HTTP as well, by its functions or through another name of it.
        tls: backend.endpoint === undefined,
      },
    );
    return { backend, clients, definition, started };
  } catch (error) {
    clients.destroy();
    throw error;
  }
}

function notRunning(backend: Backend): MinilakeError {
  if (backend.name === "endpoint") return unreachable(backend.endpoint!);
  if (backend.hasState?.()) {
    return new MinilakeError(
      "EndpointUnreachable",
      `The endpoint of this lake does not run: nothing answers at ${backend.endpoint}.`,
      {
        hint: "Start it: minilake up",
      },
    );
  }
  return new MinilakeError("NoLake", `There is no lake here: ${backend.describe} does not run.`, {
    hint: backend.name === "embedded" ? "Make one: minilake up" : `Make one: minilake up --backend ${backend.name}`,
  });
}

async function askAccount(clients: Clients, profile: string | undefined): Promise<string> {
  const { GetCallerIdentityCommand } = await import("./sdk/sts.ts");
  const sts = await clients.sts();
  const { Account } = await sts.send(new GetCallerIdentityCommand({})).catch((error: unknown) => {
    throw explainCredentials(error, profile);
  });
  if (Account === undefined) throw new MinilakeError("Internal", "STS did not say which account this is.");
  return Account;
}
