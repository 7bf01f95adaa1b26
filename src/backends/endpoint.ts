import { MinilakeError } from "../errors.ts";
import type { Backend } from "./backend.ts";
import { probe } from "./probe.ts";

export interface EndpointOptions {
  region: string;
  /** Without a final slash. */
  url: string;
  /** What functions are told instead of `url`, when it does not lead there from where they run. */
  functionEndpoint?: string | undefined;
  profile?: string | undefined;
  /** True: the SDK's default chain signs; false: test/test, which local endpoints take. */
  defaultCredentials: boolean;
}

const PROBE_TIMEOUT_MS = 5_000;

/** Any AWS-compatible endpoint that somebody else runs: it is neither started nor stopped. */
export function endpointBackend(options: EndpointOptions): Backend {
  const { url, profile } = options;
  const answers = async () => (await probe(`${url}/`, PROBE_TIMEOUT_MS)).answer === "http";
  return {
    name: "endpoint",
    region: options.region,
    endpoint: url,
    functionEndpoint: options.functionEndpoint ?? url,
    profile,
    credentials:
      options.defaultCredentials || profile !== undefined
        ? undefined
        : { accessKeyId: "test", secretAccessKey: "test" },
    forcePathStyle: true,
    globalBucketNames: false,
    architecture: process.arch === "arm64" ? "arm64" : "x86_64",
    describe: `the endpoint at ${url}`,
    start: async () => {
      if (!(await answers())) throw unreachable(url);
      return { started: false, endpoint: url };
    },
    stop: async () => ({ stopped: false, removed: [] }),
    isRunning: answers,
  };
}

export function unreachable(
  url: string,
  hint = "Start it, or check the URL: --endpoint-url, AWS_ENDPOINT_URL.",
): MinilakeError {
  return new MinilakeError("EndpointUnreachable", `Nothing answers at ${url}.`, { hint });
}
