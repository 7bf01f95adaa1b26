// Independent emulators as processes: started on a free port, stopped by their process id.
import { spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";

/** By name: program, arguments and environment for a port. */
const PEERS = {
  moto: (port) => ["moto_server", ["-H", "127.0.0.1", "-p", String(port)], {}],
  ministack: (port) => ["ministack", [], { GATEWAY_PORT: String(port), BIND_HOST: "127.0.0.1", LOG_LEVEL: "ERROR" }],
};

export const PEER_NAMES = Object.keys(PEERS);

/** Why a peer cannot run here, or undefined. */
export function whyMissing(name) {
  const [program] = PEERS[name](0);
  if (spawnSync(program, ["--help"], { stdio: "ignore", timeout: 10_000 }).error?.code !== "ENOENT") return undefined;
  return `${program} is not installed (pip install ${name === "moto" ? "moto[server]" : name})`;
}

/** Starts a peer in a folder of its own and waits until it answers. Throws when it does not within 30 s. */
export async function startPeer(name, folder) {
  const port = await freePort();
  const [program, args, env] = PEERS[name](port);
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...env, TMPDIR: folder, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
    stdio: "ignore",
    detached: true,
  });
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await answers(endpoint);
  } catch (error) {
    stop(child);
    throw error;
  }
  return { endpoint, stop: () => stop(child) };
}

export function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

async function answers(endpoint) {
  for (let attempt = 0; attempt < 300; attempt++) {
    try {
      await fetch(endpoint, { signal: AbortSignal.timeout(5_000) });
      return;
    } catch {
      await new Promise((done) => setTimeout(done, 100));
    }
  }
  throw new Error("it did not answer within 30 s");
}

/** A peer may have children of its own (MiniStack's functions): its process group goes with it. */
export function stop(child) {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL");
  }
}
