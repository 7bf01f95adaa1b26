import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SAMPLES, waitFor, workspace } from "./workspace.ts";

const installed = spawnSync("aws", ["--version"], { encoding: "utf8" }).status === 0;

test.skipIf(!installed)(
  `the AWS CLI's upload triggers the pipeline${installed ? "" : " (skipped: the program aws is not installed)"}`,
  { timeout: 120_000 },
  async () => {
    const { run, exec, port } = await workspace();
    await run(["up", "--port", String(port)]);
    const environment = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test", AWS_REGION: "us-east-1" };
    const aws = (...args: string[]) =>
      exec("aws", [`--endpoint-url=http://localhost:${port}`, ...args], { environment });

    const copied = await aws("s3", "cp", join(SAMPLES, "transactions.csv"), "s3://raw-transactions/");
    expect({ code: copied.code, stderr: copied.stderr }).toEqual({ code: 0, stderr: "" });
    expect(copied.stdout).toMatch(/upload: .*transactions\.csv to s3:\/\/raw-transactions\/transactions\.csv/);

    const listed = await waitFor("90 partitions", async () => {
      const { stdout } = await aws("s3", "ls", "s3://curated-transactions/", "--recursive");
      const lines = stdout.trimEnd().split("\n");
      return lines.length === 90 ? lines : undefined;
    });
    expect(listed[0]).toMatch(/^\S+ \S+ +\d+ dt_reference=2026-07-01\/transactions\.csv$/);

    const verified = await run(["verify"]);
    expect(verified.stdout).toContain("5,000 rows of 1 raw object");
    expect(verified.code).toBe(0);

    const rejects = await aws("s3", "cp", "s3://quarantine-transactions/curate/transactions.csv.rejects.csv", "-");
    expect(rejects.stdout).toMatch(/^source_key,line,byte_offset,column,rule,message,row_encoding,row\r?\n/);

    expect((await aws("s3", "rm", "s3://raw-transactions/transactions.csv")).code).toBe(0);
    await waitFor("an empty curated bucket", async () => {
      const { stdout } = await aws("s3", "ls", "s3://curated-transactions/", "--recursive");
      return stdout === "" || undefined;
    });
    expect((await run(["verify"])).code).toBe(0);
    await run(["down"]);
  },
);
