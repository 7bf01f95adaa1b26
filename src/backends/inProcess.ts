import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmulator } from "../emulator/server.ts";
import type { ClientSettings } from "./clients.ts";

export interface InProcessEndpoint extends ClientSettings {
  endpoint: string;
  accountId: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  /** Stops it; its folder goes too, or stays for `from`. */
  close(options?: { keep?: boolean }): Promise<void>;
  /** Its state. */
  dataDir: string;
}

/**
 * The embedded endpoint in this very process, on a free port and a temporary folder: what a test needs, in milliseconds.
 *
 * from   folder of an endpoint that was closed with `keep`: the new one begins with a copy of its state
 */
export async function startInProcess(options: {
  region: string;
  concurrency?: number | undefined;
  faults?: string | undefined;
  from?: string | undefined;
}): Promise<InProcessEndpoint> {
  const { region, concurrency, faults, from } = options;
  const dataDir = mkdtempSync(join(tmpdir(), "minilake-lake-"));
  const remove = () => rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
  try {
    if (from !== undefined) cpSync(from, dataDir, { recursive: true });
    const emulator = await startEmulator({
      dataDir,
      port: 0,
      region,
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(faults === undefined ? {} : { faults }),
    });
    return {
      region,
      endpoint: emulator.endpoint,
      accountId: emulator.accountId,
      credentials: emulator.credentials,
      forcePathStyle: true,
      dataDir,
      close: async ({ keep = false } = {}) => {
        await emulator.close();
        if (!keep) remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
