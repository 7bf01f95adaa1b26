import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmulator } from "../../src/emulator/server.ts";

/** Whether the program is in PATH and answers `args` with exit code 0. */
export function answers(program: string, args: string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore", timeout: 30_000 }).status === 0;
}

export interface Finished {
  /** Of the process; -1 when it was stopped by a signal. */
  code: number;
  stdout: string;
  stderr: string;
}

/** An endpoint of our own, a folder for the client's files, and the client's environment: its keys and nothing of the user's settings. */
export async function endpointForClient() {
  const folder = mkdtempSync(join(tmpdir(), "minilake-client-"));
  const emulator = await startEmulator({ dataDir: join(folder, "data"), port: 0 });
  const settings = join(folder, "no-settings");
  writeFileSync(settings, "");
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS_|TF_|.*_proxy$)/i.test(name));
  const environment: Record<string, string> = {
    ...(Object.fromEntries(kept) as Record<string, string>),
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ENDPOINT_URL: emulator.endpoint,
    AWS_CONFIG_FILE: settings,
    AWS_SHARED_CREDENTIALS_FILE: settings,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_PAGER: "",
  };
  return {
    endpoint: emulator.endpoint,
    folder,
    environment,
    /** Runs a program to its end, in `folder` unless told otherwise; throws when it takes longer than `timeoutMs`. */
    run(
      program: string,
      args: string[],
      options: { cwd?: string; environment?: Record<string, string>; timeoutMs?: number } = {},
    ): Promise<Finished> {
      const timeoutMs = options.timeoutMs ?? 60_000;
      return new Promise((done, failed) => {
        const child = spawn(program, args, {
          cwd: options.cwd ?? folder,
          env: { ...environment, ...options.environment },
          stdio: ["ignore", "pipe", "pipe"],
        });
        const stdout: Buffer[] = [];
        const stderr: Buffer[] = [];
        const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString("utf8");
        child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
        child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
        const limit = setTimeout(() => {
          child.kill("SIGKILL");
          failed(
            new Error(`${program} ${args.join(" ")} took more than ${timeoutMs} ms\n${text(stdout)}${text(stderr)}`),
          );
        }, timeoutMs);
        child.on("error", failed);
        child.on("close", (code) => {
          clearTimeout(limit);
          done({ code: code ?? -1, stdout: text(stdout), stderr: text(stderr) });
        });
      });
    },
    async close() {
      await emulator.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export type ClientEndpoint = Awaited<ReturnType<typeof endpointForClient>>;
