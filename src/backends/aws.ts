import type { Backend } from "./backend.ts";

export interface AwsOptions {
  region: string;
  profile?: string | undefined;
  /** Nobody has named the region: the profile's own goes before it. */
  regionIsDefault?: boolean | undefined;
}

/** AWS itself, with whatever credentials the SDK finds by its default chain. */
export function awsBackend({ region, profile, regionIsDefault }: AwsOptions): Backend {
  const backend: Backend = {
    name: "aws",
    region,
    profile,
    forcePathStyle: false,
    globalBucketNames: true,
    // A fifth cheaper than x86_64, and the functions are plain JavaScript.
    architecture: "arm64",
    eventsComeLate: true,
    describe: `AWS in ${region}`,
    start: async () => {
      await decideRegion();
      return { started: false };
    },
    stop: async () => ({ stopped: false, removed: [] }),
    isRunning: async () => {
      await decideRegion();
      return true;
    },
  };
  const decideRegion = async () => {
    if (!regionIsDefault) return;
    backend.region = (await regionOfProfile(profile)) ?? region;
    backend.describe = `AWS in ${backend.region}`;
  };
  return backend;
}

/** As every AWS tool finds it, in ~/.aws/config; undefined when the profile has none. */
async function regionOfProfile(profile: string | undefined): Promise<string | undefined> {
  const { STSClient } = await import("./sdk/sts.ts");
  const client = new STSClient(profile === undefined ? {} : { profile });
  try {
    return await client.config.region();
  } catch {
    return undefined;
  } finally {
    client.destroy();
  }
}
