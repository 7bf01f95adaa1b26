import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { SAMPLES, workspace } from "./workspace.ts";

describe("bad input gets a clear message, and loses nothing", { timeout: 60_000 }, () => {
  test("files that are not there, hold nothing, or are folders without CSV", async () => {
    const { run, folder } = await workspace();
    mkdirSync(join(folder, "pictures"));
    writeFileSync(join(folder, "pictures", "cat.png"), "png");
    writeFileSync(join(folder, "empty.csv"), "");
    const messages: string[] = [];
    for (const file of ["missing.csv", "pictures", "empty.csv", "*.tsv"]) {
      const { code, stdout, stderr } = await run(["ingest", file]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      messages.push(stderr);
    }
    messages.push((await run(["ingest", "missing.csv", "empty.csv", "pictures"])).stderr);
    expect(messages.join("\n")).toMatchSnapshot();
  });

  test("a header alone, a file without a date column, and one with two of them", async () => {
    const { run, folder, port, normalise } = await workspace();
    writeFileSync(join(folder, "header.csv"), "id,date\n");
    writeFileSync(join(folder, "undated.csv"), "id,name\n1,Ana\n2,Zoë\n");
    writeFileSync(join(folder, "two-dates.csv"), "id,ordered,shipped\n1,2026-07-01,2026-07-03\n");
    writeFileSync(join(folder, "good.csv"), "id,ordered\n1,2026-07-01\n");
    await run(["up", "--port", String(port)]);
    const { code, stdout } = await run(["ingest", ...readdirSync(folder).filter((name) => name.endsWith(".csv"))]);
    expect(code).toBe(1);
    expect(normalise(stdout)).toMatchSnapshot();
    expect(stdout).toMatch(/undated\.csv .*refused whole/);
    expect(stdout).toMatch(/two-dates\.csv .*refused whole/);
    expect(stdout).toMatch(/good\.csv .*done/);
    // The remedy that the message names is one.
    writeFileSync(join(folder, "minilake.yaml"), "partition: { column: shipped }\n");
    await run(["up"]);
    const again = await run(["ingest", "two-dates.csv"]);
    expect(again.stdout).toMatch(/two-dates\.csv .*done/);
    expect(again.code).toBe(0);
    await run(["down"]);
  });

  test("a port in use", async () => {
    const { run, folder } = await workspace();
    const server = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    for (const command of ["up", "emulator"]) {
      const { code, stdout, stderr } = await run([command, "--port", String(port)]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(
        new RegExp(`^✖ Port ${port} is in use by another program\\.\\n  Stop it, or .*--port \\d+\\n$`),
      );
    }
    expect(existsSync(join(folder, ".minilake"))).toBe(false);
    expect((await run(["up", "--port", String(port), "--faults", "xyz=1"])).code).toBe(2);
    expect(existsSync(join(folder, ".minilake"))).toBe(false);
  });

  test("a data folder that is damaged, cut off, or no folder: named, and left as it is", async () => {
    const { run, folder, port } = await workspace();
    const data = join(folder, ".minilake");
    const store = join(data, "store", "data.mdb");
    const refused = async (...words: string[]) => {
      for (const command of ["up", "down"]) {
        const { code, stderr } = await run([command, "--port", String(port)]);
        expect({ command, code }).toEqual({ command, code: 1 });
        for (const word of [data, ...words]) expect(stderr).toContain(word);
        expect(stderr).not.toContain("bug");
      }
    };
    mkdirSync(join(data, "store"), { recursive: true });
    writeFileSync(store, "no database".repeat(2000));
    await refused("is damaged", "remove the folder");
    expect(readFileSync(store, "utf8")).toBe("no database".repeat(2000));
    writeFileSync(store, "");
    await run(["up", "--port", String(port)]);
    await run(["ingest", join(SAMPLES, "corrections.csv")]);
    await run(["down", "--keep-data"]);
    truncateSync(store, 8192);
    await refused("is damaged", "cut off after 8192 bytes");
    rmSync(store);
    await refused("is damaged", `${store} is not there any more`, "remove the folder");
  });

  test("a store with garbage in its middle is damaged, and no bug", async () => {
    const { run, folder, port } = await workspace();
    const store = join(folder, ".minilake", "store", "data.mdb");
    await run(["up", "--port", String(port)]);
    await run(["down", "--keep-data"]);
    const pages = readFileSync(store);
    for (let at = 5 * 4096; at < 13 * 4096; at += 4) pages.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
    writeFileSync(store, pages);
    const { code, stderr } = await run(["up", "--port", String(port)]);
    expect(code).toBe(1);
    expect(stderr).toContain("damaged");
    expect(stderr).toContain("remove the folder");
    expect(stderr).not.toContain("unexpected");
  });

  test("a data folder that is a file", async () => {
    const { run, folder, port } = await workspace();
    writeFileSync(join(folder, "notes.txt"), "mine");
    for (const command of ["up", "emulator"]) {
      const { code, stderr } = await run([command, "--port", String(port), "--data-dir", "notes.txt"]);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `✖ The data folder ${join(folder, "notes.txt")} is a file, not a folder.\n  Name another one: --data-dir <folder>\n`,
      });
    }
  });

  test.runIf(existsSync("/proc/self"))(
    "a data folder where no folder can be made: told, and not tried for ever",
    async () => {
      const { run, port } = await workspace();
      const { code, stderr } = await run(["emulator", "--port", String(port), "--data-dir", "/proc/lake"]);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("/proc/lake cannot be made") });
    },
  );

  test("a port that another lake has: the same words from up and emulator", async () => {
    const [one, other] = [await workspace(), await workspace()];
    await one.run(["up", "--port", String(one.port)]);
    for (const command of ["up", "emulator"]) {
      const { code, stderr } = await other.run([command, "--port", String(one.port)]);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr:
          `✖ Port ${one.port} is in use by another minilake endpoint, whose data is in ${join(one.folder, ".minilake")}.\n` +
          `  Stop it, or run: minilake ${command} --port ${one.port + 4}\n`,
      });
    }
    await one.run(["down"]);
  });

  test("a session file that is garbage is passed over", async () => {
    const { run, folder } = await workspace();
    mkdirSync(join(folder, ".minilake"));
    writeFileSync(join(folder, ".minilake", "session.json"), '{"version":1,"told":{');
    const { code, stdout } = await run(["down"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "Nothing to take down: there is no lake in .minilake.\n" });
  });

  test.each([
    ["lake: transactions\npartition:\n  colum: date\n", 3, 3, 'there is no setting "partition.colum"'],
    ["lake: Transactions\n", 1, 7, 'lake is "Transactions"'],
    ['lake: "transactions\nport: 4566\n', 3, 1, ""],
  ])("a broken minilake.yaml: %j", async (text, line, column, message) => {
    const { run, folder } = await workspace();
    writeFileSync(join(folder, "minilake.yaml"), text);
    const { code, stdout, stderr } = await run(["up"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`✖ minilake.yaml line ${line}, column ${column}: ${message}`);
    expect(readdirSync(folder)).toEqual(["minilake.yaml"]);
  });

  test("no lake yet", async () => {
    const { run, port } = await workspace();
    for (const command of [["verify"], ["status"], ["ingest", join(SAMPLES, "corrections.csv")]]) {
      const { code, stdout, stderr } = await run([...command, "--port", String(port)]);
      expect({ command, code, stdout }).toEqual({ command, code: 1, stdout: "" });
      expect(stderr).toContain("There is no lake here");
      expect(stderr).toContain("minilake up");
    }
  });

  test("a lake whose endpoint was killed is still one", async () => {
    const { run, port, endpointPid } = await workspace();
    expect(await run(["up", "--port", String(port), "--json"])).toMatchObject({ code: 0, stderr: "" });
    process.kill(endpointPid()!, "SIGKILL");
    for (const command of [["verify"], ["status"], ["ingest", join(SAMPLES, "corrections.csv")]]) {
      const { code, stderr } = await run(command);
      expect({ command, code }).toEqual({ command, code: 1 });
      expect(stderr).toContain("The endpoint of this lake does not run");
      expect(stderr).toContain("Start it: minilake up");
    }
  });

  test("an unknown option, in one line, with exit code 2", async () => {
    const { run } = await workspace();
    const { code, stdout, stderr } = await run(["ingest", "--timout", "5s", "file.csv"]);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: "",
      stderr: "✖ minilake ingest: unknown option '--timout'.\n  Did you mean --timeout? See: minilake ingest --help\n",
    });
  });
});
