import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { type EmbeddedOptions, embeddedBackend } from "../../src/backends/embedded.ts";
import { probe } from "../../src/backends/probe.ts";
import { startEmulator } from "../../src/emulator/server.ts";
import { packageRoot } from "../../src/packageRoot.ts";
import { processRuns } from "../../src/processRuns.ts";
import { waitFor } from "./target.ts";

const built = existsSync(join(packageRoot(), "dist", "bin", "minilake.js"));
/** The endpoint runs as the built program; it is not one of several targets. */
const skipped = !built || (process.env.MINILAKE_TARGET ?? "embedded") !== "embedded";

let folder: string;
let port: number;
const made: Backend[] = [];
const servers: Server[] = [];

beforeEach(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "minilake-embedded-")));
  port = await freePort();
});
afterEach(async () => {
  for (const backend of made.splice(0)) await backend.stop().catch(() => {});
  for (const server of servers.splice(0)) await new Promise((done) => server.close(done));
  rmSync(folder, { recursive: true, force: true });
});

function backend(options: Partial<EmbeddedOptions> = {}): Backend {
  const one = embeddedBackend({ region: "us-east-1", port, dataDir: join(folder, ".minilake"), ...options });
  made.push(one);
  return one;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port: free } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return free;
}

describe.skipIf(skipped)("the embedded backend", () => {
  test("starts an endpoint, finds it running, stops it, and leaves nothing", async () => {
    const one = backend();
    expect(await one.isRunning()).toBe(false);
    const started = await one.start();
    expect(started).toMatchObject({ started: true, endpoint: `http://127.0.0.1:${port}`, faults: "none" });
    expect(one.accountId).toBe("000000000000");
    expect(processRuns(started.pid!)).toBe(true);

    const other = backend();
    expect(await other.isRunning()).toBe(true);
    expect(await other.start()).toMatchObject({ started: false, pid: started.pid });

    expect(await other.stop()).toEqual({ stopped: true, removed: [join(folder, ".minilake")] });
    expect(processRuns(started.pid!)).toBe(false);
    expect((await probe(`http://127.0.0.1:${port}/`, 500)).answer).toBe("refused");
    expect(existsSync(join(folder, ".minilake"))).toBe(false);
    expect(await one.stop()).toEqual({ stopped: false, removed: [] });
  });

  test("stopped with its data kept, it starts with it again", async () => {
    const one = backend();
    await one.start();
    expect((await one.stop({ keepData: true })).stopped).toBe(true);
    expect(existsSync(join(folder, ".minilake", "store"))).toBe(true);
    expect((await one.start()).started).toBe(true);
  });

  test("two that start at once share one endpoint", async () => {
    const started = await Promise.all([backend().start(), backend().start()]);
    expect(new Set(started.map(({ pid }) => pid)).size).toBe(1);
    expect(started.filter((each) => each.started)).toHaveLength(1);
  });

  test("a port of another program is named, with another one to take", async () => {
    const silent = createServer((socket) => socket.resume());
    servers.push(silent);
    await new Promise<void>((ready) => silent.listen(port, "127.0.0.1", ready));
    await expect(backend().start()).rejects.toMatchObject({
      code: "PortInUse",
      message: `Port ${port} is in use by another program.`,
      hint: `Stop it, or run: minilake up --port ${port + 4}`,
    });
    expect(existsSync(join(folder, ".minilake"))).toBe(false);
  });

  test("a port of another web server, and of another lake's endpoint", async () => {
    const web = createHttpServer((_request, response) => response.end("hello"));
    servers.push(web);
    await new Promise<void>((ready) => web.listen(port, "127.0.0.1", ready));
    await expect(backend().start()).rejects.toMatchObject({ message: `Port ${port} is in use by another program.` });

    const elsewhere = join(folder, "elsewhere");
    const emulator = await startEmulator({ dataDir: elsewhere, port: 0 });
    try {
      const here = backend({ port: emulator.port });
      await expect(here.start()).rejects.toMatchObject({
        code: "PortInUse",
        message: expect.stringContaining(`another minilake endpoint, whose data is in ${elsewhere}`),
      });
      expect(await here.isRunning()).toBe(false);
      expect((await here.stop()).stopped).toBe(false);
      expect((await probe(`${emulator.endpoint}/_minilake/health`, 1000)).answer).toBe("http");
    } finally {
      await emulator.close();
    }
  });

  test("an endpoint that somebody runs by hand in the same folder is used and not stopped", async () => {
    const dataDir = join(folder, ".minilake");
    const emulator = await startEmulator({ dataDir, port });
    try {
      const one = backend();
      expect(await one.start()).toMatchObject({ started: false, pid: process.pid });
      expect(await one.stop()).toEqual({ stopped: false, removed: [], kept: expect.stringContaining("by hand") });
      expect(existsSync(dataDir)).toBe(true);
    } finally {
      await emulator.close();
    }
  });

  test("a data folder that is a file, and one in use on another port", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(backend({ dataDir: join(folder, "file") }).start()).rejects.toMatchObject({ code: "DataFolder" });

    await backend().start();
    const second = backend({ port: await freePort() });
    await expect(second.start()).rejects.toMatchObject({
      code: "DataFolder",
      message: expect.stringMatching(/in use/),
    });
    expect(await backend().isRunning()).toBe(true);
  });

  test("a damaged store is said so, and stays for somebody to look at", async () => {
    const store = join(folder, ".minilake", "store");
    mkdirSync(store, { recursive: true });
    writeFileSync(join(store, "data.mdb"), "this is no database".repeat(1000));
    await expect(backend().start()).rejects.toMatchObject({
      code: "DataFolder",
      message: expect.stringContaining(folder),
    });
    expect(readFileSync(join(store, "data.mdb"), "utf8")).toMatch(/^this is no database/);
  });

  test("an endpoint whose data folder was deleted is replaced by a new one", async () => {
    const one = backend();
    const { pid } = await one.start();
    rmSync(join(folder, ".minilake"), { recursive: true });
    expect(await one.isRunning()).toBe(false);
    const again = await one.start();
    expect(again.started).toBe(true);
    expect(again.pid).not.toBe(pid);
    expect(processRuns(pid!)).toBe(false);
  });

  test("after kill -9 it starts again on what it had, and stop cleans up after one that is dead", async () => {
    const one = backend();
    const { pid } = await one.start();
    process.kill(pid!, "SIGKILL");
    await waitFor(() => !processRuns(pid!));
    const again = await one.start();
    expect(again.started).toBe(true);
    process.kill(again.pid!, "SIGKILL");
    await waitFor(() => !processRuns(again.pid!));
    expect(await one.stop()).toEqual({ stopped: false, removed: [join(folder, ".minilake")] });
  });

  test("faults are passed on, and what cannot be read of them is said", async () => {
    expect((await backend({ faults: "seed=7,duplicate=0.5" }).start()).faults).toBe("seed=7,duplicate=0.5");
    const dataDir = join(folder, "other");
    await expect(backend({ faults: "nonsense", port: await freePort(), dataDir }).start()).rejects.toMatchObject({
      code: "Usage",
      message: expect.stringContaining("nonsense"),
    });
  });

  test("a folder that never was a data folder is not removed, whatever it is called", async () => {
    const dataDir = join(folder, "precious");
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, "thesis.txt"), "");
    expect(await backend({ dataDir }).stop()).toEqual({ stopped: false, removed: [] });
    expect(existsSync(join(dataDir, "thesis.txt"))).toBe(true);
  });
});
