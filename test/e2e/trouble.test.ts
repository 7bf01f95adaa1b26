import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { CreateBucketCommand, ListBucketsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import {
  clientOf,
  isListening,
  isRunning,
  PROGRAM,
  SAMPLES,
  waitFor,
  waitForRawObject,
  workspace,
} from "./workspace.ts";

/** `count` files of `rows` rows on three days. */
function writeFiles(folder: string, count: number, rows: number): void {
  mkdirSync(folder);
  for (let file = 0; file < count; file++) {
    const lines = ["id,day,amount"];
    for (let row = 0; row < rows; row++) lines.push(`${file}-${row},2026-07-0${1 + (row % 3)},${row}.50`);
    writeFileSync(join(folder, `drop-${String(file).padStart(3, "0")}.csv`), `${lines.join("\n")}\n`);
  }
}

test("50 files at once: every row arrives, once", { timeout: 120_000 }, async () => {
  const { run, folder, port } = await workspace();
  writeFiles(join(folder, "drops"), 50, 300);
  await run(["up", "--port", String(port)]);
  const fed = await run(["ingest", "drops", "--concurrency", "50"]);
  expect(fed.stdout).toContain("✔ 50 files: 15,000 rows read = 15,000 in 3 partitions + 0 in quarantine");
  expect(fed.code).toBe(0);
  const verified = await run(["verify"]);
  expect(verified.stdout).toContain("15,000 rows of 50 raw objects");
  expect(verified.code).toBe(0);
  await run(["down"]);
});

test("kill -9 of the endpoint in the middle of an ingest, up again: nothing is lost", {
  timeout: 120_000,
}, async () => {
  const { run, folder, port, endpoint } = await workspace();
  writeFiles(join(folder, "drops"), 40, 250);
  const up = JSON.parse((await run(["up", "--port", String(port), "--json"])).stdout);
  const fed = await run(["ingest", "drops"], {
    meanwhile: async () => {
      await waitForRawObject(endpoint);
      process.kill(up.pid, "SIGKILL");
    },
  });
  expect(fed.code).toBe(1);
  expect(fed.stderr).toContain("stopped answering");
  expect((await run(["up"])).code).toBe(0);
  // What was acknowledged before the kill is processed without being asked for again.
  expect((await run(["verify"])).code).toBe(0);
  expect((await run(["ingest", "drops"])).code).toBe(0);
  const verified = await run(["verify"]);
  expect(verified.stdout).toContain("10,000 rows of 40 raw objects");
  expect(verified.code).toBe(0);
  await run(["down"]);
});

test("Ctrl-C ends an ingest with 130, and the same command goes on", { timeout: 120_000 }, async () => {
  const { run, folder, port, endpoint } = await workspace();
  writeFiles(join(folder, "drops"), 40, 200);
  await run(["up", "--port", String(port)]);
  const interrupted = await run(["ingest", "drops", "--concurrency", "2"], {
    meanwhile: async (_, kill) => {
      await waitForRawObject(endpoint);
      kill("SIGINT");
    },
  });
  expect({ code: interrupted.code, stdout: interrupted.stdout }).toEqual({ code: 130, stdout: "" });
  expect(interrupted.stderr).toContain("Interrupted.");
  expect((await run(["ingest", "drops"])).code).toBe(0);
  expect((await run(["verify"])).code).toBe(0);
  await run(["down"]);
});

test("the reader of the output may leave: | head", { timeout: 60_000 }, async () => {
  const { exec, port, run } = await workspace();
  await run(["up", "--port", String(port)]);
  const { code, stdout, stderr } = await exec("bash", [
    "-c",
    `set -o pipefail; "${process.execPath}" "${PROGRAM}" up 2>&1 | head -1`,
  ]);
  expect({ code, stderr, lines: stdout.trimEnd().split("\n").length }).toEqual({ code: 0, stderr: "", lines: 1 });
  await run(["down"]);
});

test("emulator: one line of JSON when ready, works, stops on SIGTERM with 0", { timeout: 60_000 }, async () => {
  const { run, folder } = await workspace();
  let ready: { endpoint: string; pid: number; accessKeyId: string } | undefined;
  const { code, stdout } = await run(["emulator", "--port", "0", "--json", "--data-dir", join(folder, "data")], {
    meanwhile: async (soFar, kill) => {
      await waitFor("the first line", () => soFar.stdout.includes("\n") || undefined);
      ready = JSON.parse(soFar.stdout);
      const health = await fetch(`${ready!.endpoint}/_minilake/health`);
      expect(await health.json()).toMatchObject({ service: "minilake", pid: ready!.pid });
      kill("SIGTERM");
    },
  });
  expect(code).toBe(0);
  expect(stdout.trimEnd().split("\n")).toHaveLength(1);
  expect(ready).toMatchObject({ ready: true, accessKeyId: expect.any(String), region: "us-east-1", faults: "none" });
  expect(isRunning(ready!.pid)).toBe(false);
  expect(await isListening(Number(new URL(ready!.endpoint).port))).toBe(false);
});

test("emulator: says which faults it makes, with their seed", { timeout: 60_000 }, async () => {
  const { run } = await workspace();
  const { code, stdout } = await run(["emulator", "--port", "0", "--data-dir", "data", "--faults", "drop=0.1"], {
    meanwhile: async (soFar, kill) => {
      await waitFor("the greeting", () => soFar.stdout.includes("aws s3 ls") || undefined);
      kill("SIGTERM");
    },
  });
  expect(code).toBe(0);
  expect(stdout).toContain("It misbehaves on purpose, the same way each time with --faults 'seed=1,drop=0.1'");
});

test.skipIf(process.platform === "win32")(
  "emulator: out of file descriptors it says so, and works on when there are some again",
  { timeout: 60_000 },
  async () => {
    const { exec } = await workspace();
    const script = `ulimit -n 60; exec "${process.execPath}" "${PROGRAM}" emulator --port 0 --json --data-dir data`;
    const { code, stderr } = await exec("bash", ["-c", script], {
      meanwhile: async (soFar, kill) => {
        await waitFor("the first line", () => soFar.stdout.includes("\n") || undefined);
        const { endpoint } = JSON.parse(soFar.stdout) as { endpoint: string };
        const s3 = clientOf(endpoint);
        await s3.send(new CreateBucketCommand({ Bucket: "many" }));
        const put = new PutObjectCommand({ Bucket: "many", Key: "file", Body: Buffer.alloc(100_000) });
        const port = Number(new URL(endpoint).port);
        const sockets = Array.from({ length: 60 }, () => connect({ host: "127.0.0.1", port }).on("error", () => {}));
        const refused = await waitFor("a refusal", () =>
          s3.send(put, { requestTimeout: 5_000 }).then(
            () => undefined,
            (error) => error,
          ),
        );
        expect(refused).toMatchObject({ name: "ServiceUnavailable", $metadata: { httpStatusCode: 503 } });
        for (const socket of sockets) socket.destroy();
        await waitFor("an upload", () => s3.send(put).catch(() => undefined));
        s3.destroy();
        kill("SIGTERM");
      },
    });
    expect(code).toBe(0);
    expect(stderr).toContain("PUT /many/file was refused: too many open files (ulimit -n)");
  },
);

test("a strict endpoint: the commands find its keys, others are refused", { timeout: 60_000 }, async () => {
  const { run, port, endpoint } = await workspace();
  const up = await run(["up", "--port", String(port), "--strict"]);
  expect(up.stdout).toMatch(/AWS_ACCESS_KEY_ID=AKIA\w{16} AWS_SECRET_ACCESS_KEY=\S{40} /);
  await expect(clientOf(endpoint).send(new ListBucketsCommand({}))).rejects.toMatchObject({
    name: "InvalidAccessKeyId",
    $metadata: { httpStatusCode: 403 },
  });
  expect((await run(["ingest", join(SAMPLES, "corrections.csv")])).code).toBe(0);
  expect((await run(["up"])).stdout).toContain("AWS_ACCESS_KEY_ID=AKIA");
  expect((await run(["verify"])).code).toBe(0);
  expect((await run(["down"])).code).toBe(0);
});

test("up says which options come too late for an endpoint that runs", { timeout: 60_000 }, async () => {
  const { run, port } = await workspace();
  await run(["up", "--port", String(port)]);
  const { code, stderr } = await run(["up", "--faults", "seed=1,duplicate=0.5", "--concurrency", "2"]);
  expect(code).toBe(0);
  expect(stderr).toContain("To start it with --concurrency, --faults: minilake down --keep-data, then up.");
  await run(["down"]);
});

test.skipIf(!existsSync("/dev/full"))(
  "output that cannot be written is an error, and not a stack",
  { timeout: 60_000 },
  async () => {
    const { exec } = await workspace();
    const { code, stderr } = await exec("bash", ["-c", `"${process.execPath}" "${PROGRAM}" --help > /dev/full`]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^✖ What was to be printed cannot be written: ENOSPC.*\n$/);
  },
);

test("deleting .minilake by hand is as good as down, which then stops the process", { timeout: 60_000 }, async () => {
  const place = await workspace();
  expect((await place.run(["up", "--port", String(place.port)])).code).toBe(0);
  rmSync(join(place.folder, ".minilake"), { recursive: true });
  const down = await place.run(["down", "--port", String(place.port)]);
  expect(down.code).toBe(0);
  expect(down.stdout).toContain("was deleted before; the endpoint");
  expect(await isListening(place.port)).toBe(false);
  expect(existsSync(join(place.folder, ".minilake"))).toBe(false);
});
