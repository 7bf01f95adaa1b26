import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT, waitFor, workspace } from "./workspace.ts";

const SCENARIOS = join(ROOT, "test/clients/dataTools.py");
const installed = spawnSync("python3", ["-c", "import pyarrow"]).status === 0;

test.skipIf(!installed)(
  `PyArrow drops a file into the lake and reads its partitions as one dataset${installed ? "" : " (skipped: python3 has no pyarrow)"}`,
  { timeout: 120_000 },
  async () => {
    const { run, exec, port, endpoint } = await workspace();
    await run(["up", "--port", String(port)]);
    const pyarrow = async (scenario: string) => {
      const environment = { AWS_ENDPOINT_URL: endpoint, AWS_EC2_METADATA_DISABLED: "true" };
      const { code, stdout, stderr } = await exec("python3", [SCENARIOS, scenario], { environment });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return JSON.parse(stdout);
    };

    await pyarrow("drop");
    const seen = await waitFor("five partitions", async () => {
      const found = await pyarrow("partitions");
      return found.files === 5 ? found : undefined;
    });
    // Every fifth of the numbers 2 to 497.
    expect(seen).toEqual({ files: 5, rows: 500, third: 100, ids: 24_950 });
    expect((await run(["verify"])).code).toBe(0);
    await run(["down"]);
  },
);
