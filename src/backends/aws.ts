import type { Backend } from "./backend.ts";

export interface AwsOptions {
  region: string;
  profile?: string | undefined;
}

/** AWS itself, with whatever credentials the SDK finds by its default chain. */
export function awsBackend({ region, profile }: AwsOptions): Backend {
  return {
    name: "aws",
    region,
    profile,
    forcePathStyle: false,
    globalBucketNames: true,
    // A fifth cheaper than x86_64, and the functions are plain JavaScript.
    architecture: "arm64",
    describe: `AWS in ${region}`,
    start: async () => ({ started: false }),
    stop: async () => ({ stopped: false, removed: [] }),
    isRunning: async () => true,
  };
}
