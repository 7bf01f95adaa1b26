import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { globBase, globPattern } from "../../../src/lake/glob.ts";
import { expandSources, MAX_KEY_BYTES, type SourceOptions } from "../../../src/lake/sources.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "minilake-sources-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(...names: string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), "id\n1\n");
  }
}
const expand = async (args: string[], options: Partial<SourceOptions> = {}) => {
  const { sources, dispose } = await expandSources(args, { cwd: folder, ...options });
  await dispose();
  return sources;
};
const keys = async (args: string[], options?: Partial<SourceOptions>) =>
  (await expand(args, options)).map(({ key }) => key);

describe("what is ingested, and under which key", () => {
  test("a file by its own name, whatever it is called", async () => {
    write("in/orders.csv", "in/no-extension");
    expect(await keys(["in/orders.csv", "in/no-extension"])).toEqual(["no-extension", "orders.csv"]);
    expect((await expand(["in/orders.csv"]))[0]).toMatchObject({ name: "in/orders.csv", size: 5 });
  });

  test("a folder by the paths below it: CSV files, subfolders too, hidden ones not", async () => {
    write("in/a.csv", "in/b.CSV.GZ", "in/deep/er/c.tsv", "in/readme.md", "in/.hidden.csv", "in/.git/d.csv");
    expect(await keys(["in"])).toEqual(["a.csv", "b.CSV.GZ", "deep/er/c.tsv"]);
    expect(await keys(["in/", "in/a.csv"])).toEqual(["a.csv", "b.CSV.GZ", "deep/er/c.tsv"]);
  });

  test("links are followed, a link back up ends", async () => {
    write("elsewhere/x.csv", "in/a.csv");
    symlinkSync(join(folder, "elsewhere"), join(folder, "in", "linked"));
    symlinkSync(join(folder, "in"), join(folder, "in", "loop"));
    expect(await keys(["in"])).toEqual(["a.csv", "linked/x.csv"]);
  });

  test("a pattern that the shell left alone, by the paths below its fixed part", async () => {
    write("in/2024/a.csv", "in/2025/a.csv", "in/2025/b.txt", "in/c.csv");
    expect(await keys(["in/*/*.csv"])).toEqual(["2024/a.csv", "2025/a.csv"]);
    expect(await keys(["in/**/*.{csv,txt}"])).toEqual(["2024/a.csv", "2025/a.csv", "2025/b.txt", "c.csv"]);
  });

  test("a name with wildcards in it is itself when it exists", async () => {
    write("in/a[1].csv", "in/a1.csv");
    expect(await keys(["in/a[1].csv"])).toEqual(["a[1].csv"]);
  });

  test("--prefix and --key", async () => {
    write("a.csv", "b.csv");
    expect(await keys(["a.csv", "b.csv"], { prefix: "2024/" })).toEqual(["2024/a.csv", "2024/b.csv"]);
    expect(await keys(["a.csv"], { prefix: "2024/", key: "x.csv" })).toEqual(["2024/x.csv"]);
  });

  test("standard input, once it has a name; what was spooled is removed", async () => {
    const stdin = Readable.from(["id,x\n", "1,2\n"]);
    const { sources, dispose } = await expandSources(["-"], { cwd: folder, key: "piped.csv", stdin });
    expect(sources).toMatchObject([{ name: "standard input", key: "piped.csv", size: 9 }]);
    expect(readFileSync(sources[0]!.path, "utf8")).toBe("id,x\n1,2\n");
    await dispose();
    expect(() => readdirSync(dirname(sources[0]!.path))).toThrow("ENOENT");
  });
});

describe("what cannot be ingested", () => {
  const refusal = async (args: string[], options?: Partial<SourceOptions>) =>
    expand(args, options).then(
      () => {
        throw new Error("nothing was refused");
      },
      (error: { code: string; message: string; hint?: string }) => `${error.code}: ${error.message}`,
    );

  test("each by its name, all of them at once", async () => {
    mkdirSync(join(folder, "empty"));
    writeFileSync(join(folder, "zero.csv"), "");
    expect(await refusal(["missing.csv"])).toBe("InputFile: There is no file missing.csv.");
    expect(await refusal(["zero.csv"])).toBe("InputFile: zero.csv is empty (0 bytes).");
    expect(await refusal(["empty"])).toBe(
      "InputFile: The folder empty holds no CSV file (.csv, .csv.gz, .tsv, .tsv.gz).",
    );
    expect(await refusal(["*.csvx"])).toBe("InputFile: No file matches *.csvx.");
    expect(await refusal(["missing.csv", "zero.csv"])).toBe(
      "InputFile: 2 of the inputs cannot be used:\n- there is no file missing.csv\n- zero.csv is empty (0 bytes)",
    );
  });

  test("two files that would become one object", async () => {
    write("a/x.csv", "b/x.csv");
    expect(await refusal(["a/x.csv", "b/x.csv"])).toBe(
      "InputFile: a/x.csv and b/x.csv would both become s3://…/x.csv.",
    );
    expect(await keys(["a", "a/x.csv"])).toEqual(["x.csv"]);
  });

  test("keys that do not work", async () => {
    write("a.csv", "b.csv");
    const stdin = Readable.from(["id\n1\n"]);
    expect(await refusal(["-"], { stdin })).toMatch(/^Usage: .*no name/);
    expect(await refusal(["a.csv", "b.csv"], { key: "x.csv" })).toMatch(
      /^Usage: --key names one object, and there are 2 files/,
    );
    expect(await refusal(["a.csv"], { key: "x/" })).toMatch(/^Usage: /);
    expect(await refusal(["a.csv"], { key: "é".repeat(MAX_KEY_BYTES / 2 + 1) })).toContain(
      `has ${MAX_KEY_BYTES + 2} bytes; the lake takes ${MAX_KEY_BYTES}`,
    );
    expect(await refusal([])).toMatch(/^Usage: There is nothing to ingest/);
  });

  test.skipIf(process.getuid?.() === 0)("a folder that may not be read (root may read all)", async () => {
    write("in/secret/a.csv");
    chmodSync(join(folder, "in", "secret"), 0);
    try {
      expect(await refusal(["in"])).toContain("may not be read by this user");
    } finally {
      chmodSync(join(folder, "in", "secret"), 0o755);
    }
  });
});

test.each([
  ["*.csv", "a.csv", true],
  ["*.csv", "b/a.csv", false],
  ["**/*.csv", "a.csv", true],
  ["**/*.csv", "b/c/a.csv", true],
  ["a?.csv", "ab.csv", true],
  ["a?.csv", "a/.csv", false],
  ["[ab]*.csv", "b1.csv", true],
  ["[!ab]*.csv", "b1.csv", false],
  ["{x,y}.{csv,tsv}", "y.tsv", true],
  ["{x,y}.{csv,tsv}", "z.csv", false],
  ["a+(1).csv", "a+(1).csv", true],
  ["a.csv", "aXcsv", false],
])("the pattern %s and %s: %s", (pattern, path, expected) => {
  expect(globPattern(pattern).test(path)).toBe(expected);
});

test.each([
  ["data/2024/*.csv", "data/2024/"],
  ["*.csv", ""],
  ["/abs/a*/b.csv", "/abs/"],
])("the fixed part of %s is %j", (pattern, base) => {
  expect(globBase(pattern)).toBe(base);
});
