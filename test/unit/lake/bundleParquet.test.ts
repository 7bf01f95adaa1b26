import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DUCKDB_VERSION } from "../../../src/contract/duckdbVersion.ts";
import { buildBundle, buildLakeBundle } from "../../../src/lake/bundle.ts";
import { defineLake } from "../../../src/lake/definition.ts";
import { type FunctionPlatform, hostPlatform } from "../../../src/lake/duckdbPackage.ts";
import { packageRoot } from "../../../src/packageRoot.ts";
import { lakeConfiguration } from "../handler/lake.ts";

const parquet = lakeConfiguration({ format: "parquet" });
const host = hostPlatform();
let root: string;
let handlers: string;
let cacheFolder: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "minilake-bundle-parquet-"));
  handlers = join(root, "handler");
  mkdirSync(handlers);
  writeFileSync(join(handlers, "curate.mjs"), "export const handler = async () => undefined;\n");
});
beforeEach(() => {
  cacheFolder = mkdtempSync(join(root, "cache-"));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Names and sizes of the entries, read and checked by another program than the one that wrote them. */
function entriesOf(zip: Buffer): Record<string, number> {
  const file = join(root, "bundle.zip");
  writeFileSync(file, zip);
  const script = `import json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
print(json.dumps({entry.filename: entry.file_size for entry in archive.infolist()}))`;
  return JSON.parse(execFileSync("python3", ["-c", script, file], { encoding: "utf8" }));
}

describe("for this machine", () => {
  test("DuckDB is in the package, within Lambda's limits; the same bytes with and without a cache", async () => {
    const first = await buildBundle(parquet, handlers, { cacheFolder });
    const entries = entriesOf(first.zip);
    const binding = `node_modules/@duckdb/node-bindings-${host}`;
    expect(Object.keys(entries).slice(0, 2)).toEqual(["curate.mjs", "lake.json"]);
    expect(Object.keys(entries)).toContain(`${binding}/duckdb.node`);
    expect(Object.keys(entries)).toContain(`${binding}/LICENSE`);
    expect(first.zip.length).toBeLessThan(30e6);
    expect(Object.values(entries).reduce((sum, size) => sum + size)).toBeLessThan(250e6);
    const cached = await buildBundle(parquet, handlers, { cacheFolder });
    expect(cached.codeSha256).toBe(first.codeSha256);
    const anew = await buildBundle(parquet, handlers, { cacheFolder: join(cacheFolder, "another") });
    expect(anew.codeSha256).toBe(first.codeSha256);
  });

  test("the unpacked package loads its own DuckDB, of the version that the code is for", async () => {
    const { zip } = await buildBundle(parquet, handlers, { cacheFolder });
    const folder = mkdtempSync(join(root, "task-"));
    entriesOf(zip);
    execFileSync("python3", ["-m", "zipfile", "-e", join(root, "bundle.zip"), folder]);
    const script = `import { createRequire } from "node:module";
      const require = createRequire(${JSON.stringify(pathToFileURL(join(folder, "curate.mjs")).href)});
      const file = "@duckdb/node-bindings-${host}/duckdb.node";
      console.log(require.resolve(file).startsWith(${JSON.stringify(folder)}), require(file).library_version());`;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect(output.trim()).toBe(`true v${DUCKDB_VERSION.split("-")[0]}`);
  });

  test("a cached zip that is cut short is made again", async () => {
    const whole = await buildBundle(parquet, handlers, { cacheFolder });
    const [cached] = readdirSync(cacheFolder);
    truncateSync(join(cacheFolder, cached!), 1_000_000);
    expect((await buildBundle(parquet, handlers, { cacheFolder })).codeSha256).toBe(whole.codeSha256);
  });

  test("where no cache can be written, the package is made all the same", async () => {
    const file = join(cacheFolder, "a file");
    writeFileSync(file, "");
    const { zip } = await buildBundle(parquet, handlers, { cacheFolder: join(file, "cache") });
    expect(zip.length).toBeGreaterThan(1e6);
  });

  test("a lake of CSV has none of it", async () => {
    const { zip } = await buildBundle(lakeConfiguration(), handlers, { cacheFolder });
    expect(Object.keys(entriesOf(zip))).toEqual(["curate.mjs", "lake.json"]);
    expect(readdirSync(cacheFolder)).toEqual([]);
  });
});

/** A program called npm that does what `script` says, in front of the real one. */
async function withNpm<T>(script: string, work: () => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(root, "npm-"));
  const file = join(folder, "npm");
  writeFileSync(file, `#!${process.execPath}\n${script}`);
  chmodSync(file, 0o755);
  const path = process.env.PATH;
  process.env.PATH = `${folder}${delimiter}${path}`;
  try {
    return await work();
  } finally {
    process.env.PATH = path;
  }
}

describe.skipIf(process.platform === "win32")("for another machine", () => {
  const other: FunctionPlatform = "darwin-arm64";
  /** Installs files of this name where npm was asked to. */
  const npm = `const { mkdirSync, writeFileSync } = require("node:fs");
    const args = process.argv.slice(2);
    const prefix = args[args.indexOf("--prefix") + 1];
    const folder = prefix + "/node_modules/@duckdb/node-bindings-${other}";
    mkdirSync(folder, { recursive: true });
    for (const name of ["LICENSE", "README.md", "duckdb.node", "libduckdb.dylib", "package.json"]) writeFileSync(folder + "/" + name, name);
    writeFileSync(__dirname + "/arguments", args.join(" "));`;

  test("npm fetches its DuckDB once, of exactly our version, without running scripts", async () => {
    const events: object[] = [];
    const options = { platform: other, cacheFolder, onProgress: (event: object) => events.push(event) };
    const { first, asked } = await withNpm(npm, async () => {
      const first = await buildBundle(parquet, handlers, options);
      const [folder] = process.env.PATH!.split(delimiter);
      return { first, asked: readFileSync(join(folder!, "arguments"), "utf8") };
    });
    expect(asked).toContain(`@duckdb/node-bindings-${other}@${DUCKDB_VERSION}`);
    expect(asked).toContain("--ignore-scripts");
    expect(Object.keys(entriesOf(first.zip)).slice(2)).toEqual(
      ["LICENSE", "duckdb.node", "libduckdb.dylib", "package.json"].map(
        (name) => `node_modules/@duckdb/node-bindings-${other}/${name}`,
      ),
    );
    expect(readdirSync(cacheFolder).length).toBe(1);
    const again = await withNpm("process.exit(1)", () => buildBundle(parquet, handlers, options));
    expect(again.codeSha256).toBe(first.codeSha256);
    expect(events).toEqual([
      {
        step: "waiting",
        resource: `DuckDB for ${other}`,
        reason: `npm is fetching @duckdb/node-bindings-${other}`,
      },
    ]);
  });

  test("without the registry: what is missing, why, and what to do", async () => {
    const offline = 'console.error("npm error code ENOTFOUND\\nnpm error network request failed"); process.exit(1)';
    const building = withNpm(offline, () => buildBundle(parquet, handlers, { platform: other, cacheFolder }));
    await expect(building).rejects.toMatchObject({
      code: "Config",
      message: expect.stringMatching(/darwin-arm64: code ENOTFOUND network request failed$/),
      hint: expect.stringContaining(`npm view @duckdb/node-bindings-${other}@${DUCKDB_VERSION}`),
    });
    expect(readdirSync(cacheFolder)).toEqual([]);
  });
});

test("a lake's functions have DuckDB for what they run on: this machine, or Linux of their architecture", async () => {
  const settings = {
    lake: "orders",
    region: "us-east-1",
    partition: { as: "dt_reference", timezone: "UTC" },
    dialect: {},
    onDelete: "remove" as const,
    format: "parquet" as const,
    memoryMb: 512,
    timeoutSeconds: 60,
  };
  const platformOf = async (place: Parameters<typeof defineLake>[1]) => {
    const log = join(root, "asked");
    rmSync(log, { force: true });
    const npm = `require("node:fs").writeFileSync(${JSON.stringify(log)}, process.argv.at(-1)); process.exit(1)`;
    const made = await withNpm(npm, () =>
      buildLakeBundle(defineLake(settings, place), { cacheFolder }, handlers).catch(() => undefined),
    );
    if (made === undefined) return /bindings-(.+)@/.exec(readFileSync(log, "utf8"))![1];
    return Object.keys(entriesOf(made.zip))
      .map((name) => /bindings-([^/]+)/.exec(name)?.[1])
      .at(-1);
  };
  const accountId = "000000000000";
  expect(await platformOf({ accountId, functionsRunHere: true })).toBe(host);
  expect(await platformOf({ accountId, architecture: "arm64" })).toBe("linux-arm64");
  expect(await platformOf({ accountId, architecture: "x86_64" })).toBe("linux-x64");
});

test("the version that is fetched is the one that is installed and tested", () => {
  const manifest = join(packageRoot(), "node_modules", "@duckdb", "node-api", "package.json");
  expect(existsSync(manifest)).toBe(true);
  expect(JSON.parse(readFileSync(manifest, "utf8")).version).toBe(DUCKDB_VERSION);
});
