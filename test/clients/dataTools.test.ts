import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answers, type ClientEndpoint, endpointForClient } from "./programs.ts";

const SCENARIOS = join(dirname(fileURLToPath(import.meta.url)), "dataTools.py");
const missing = ["pyarrow", "obstore", "boto3"].find((name) => !answers("python3", ["-c", `import ${name}`]));

describe.skipIf(missing !== undefined)(
  `PyArrow and obstore${missing ? ` (skipped: python3 has no ${missing})` : ""}`,
  { timeout: 120_000 },
  () => {
    let e: ClientEndpoint;
    beforeAll(async () => {
      e = await endpointForClient();
    });
    afterAll(() => e?.close());

    /** What the function of this name in dataTools.py saw. */
    async function scenario(name: string) {
      const { code, stdout, stderr } = await e.run("python3", [SCENARIOS, name], { timeoutMs: 110_000 });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return JSON.parse(stdout);
    }

    it("PyArrow writes a partitioned dataset over itself and reads it by partition", async () => {
      expect(await scenario("dataset")).toEqual({
        files: [1, 2, 3, 4, 5].map((day) => `arrow-data/lake/day=2026-07-0${day}/part-0.parquet`),
        rows: 500,
        day: 100,
      });
    });

    it("PyArrow streams, seeks, copies, moves and removes files in folders", async () => {
      const folders = ["arrow-files/folder", "arrow-files/folder/inner"];
      expect(await scenario("files")).toEqual({
        size: 17 * 1024 * 1024,
        same: [true, true, true],
        type: "x/y",
        listed: ["arrow-files/empty", ...folders, "arrow-files/folder/odd ü+%&=.bin", "arrow-files/moved + 1"],
        missing: "FileNotFoundError",
        left: ["arrow-files/empty", "arrow-files/moved + 1"],
        gone: true,
      });
    });

    it("Rust's object_store commits on conditions, sends parts, copies and signs URLs", async () => {
      expect(await scenario("store")).toEqual({
        refused: ["AlreadyExistsError", "PreconditionError"],
        same: [true, true, true],
        listed: ["log/0.json", "moved", "odd ü+%&=.bin"],
        missing: "FileNotFoundError",
        left: 0,
      });
    });
  },
);
