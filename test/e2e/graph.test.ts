import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { workspace } from "./workspace.ts";

test("graph draws a lake that is not up", async () => {
  const { run, folder } = await workspace();
  writeFileSync(join(folder, "minilake.yaml"), "lake: sales\n");
  expect(await run(["graph"])).toMatchSnapshot();
  expect(await run(["graph", "--output", "lake.svg"])).toEqual({ code: 0, stdout: "", stderr: "✔ lake.svg written\n" });
  expect(readFileSync(join(folder, "lake.svg"), "utf8")).toMatch(/^<svg [\s\S]*>raw-sales<[\s\S]*<\/svg>\n$/);
  expect(await run(["graph", "--output", "no/such/folder.svg"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("The drawing cannot be written to no/such/folder.svg"),
  });
  expect(JSON.parse((await run(["graph", "--json"])).stdout)).toMatchObject({
    lake: "sales",
    nodes: expect.any(Array),
  });
});

test("completion scripts are sound, and complete", async () => {
  const { run, folder } = await workspace();
  const { code, stdout } = await run(["completion", "bash"]);
  expect(code).toBe(0);
  writeFileSync(join(folder, "completion.bash"), stdout);
  const complete = (...words: string[]) =>
    execFileSync(
      "bash",
      [
        "-c",
        `source completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _minilake; echo "\${COMPREPLY[@]}"`,
        "_",
        ...words,
      ],
      { cwd: folder, encoding: "utf8" },
    ).trim();
  expect(complete("minilake", "ver")).toBe("verify");
  expect(complete("minilake", "up", "--backend", "l")).toBe("localstack");
  expect(complete("minilake", "ingest", "--wat")).toBe("--watch");
  expect(complete("minilake", "ingest", "completion.b")).toBe("completion.bash");
  for (const shell of ["zsh", "fish"]) {
    const script = await run(["completion", shell]);
    expect(script).toMatchObject({ code: 0, stdout: expect.stringContaining("verify") });
  }
  expect(await run(["completion", "tcsh"])).toEqual({
    code: 2,
    stdout: "",
    stderr: "✖ minilake completion: there is none for tcsh.\n  Shells: bash, zsh, fish.\n",
  });
});
