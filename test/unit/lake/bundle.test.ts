import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildBundle } from "../../../src/lake/bundle.ts";
import { defineLake } from "../../../src/lake/definition.ts";

let folder: string;
const configuration = (lake = "orders") =>
  defineLake(
    {
      lake,
      region: "us-east-1",
      partition: { as: "dt_reference", timezone: "UTC" },
      dialect: {},
      onDelete: "remove",
      memoryMb: 512,
      timeoutSeconds: 60,
    },
    { accountId: "000000000000" },
  ).configuration;
const CODE = `export const handler = async () => "${"x".repeat(5_000)}";\n`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "minilake-bundle-"));
  writeFileSync(join(folder, "curate.mjs"), CODE);
});
afterAll(() => rmSync(folder, { recursive: true }));

test("the same code and configuration give the same bytes, whenever and wherever", async () => {
  const first = await buildBundle(configuration(), folder);
  utimesSync(join(folder, "curate.mjs"), new Date("2001-01-01"), new Date("2001-01-01"));
  const zone = process.env.TZ;
  process.env.TZ = "Pacific/Auckland";
  try {
    const second = await buildBundle(configuration(), folder);
    expect(second.zip.equals(first.zip)).toBe(true);
    expect(first.codeSha256).toBe(createHash("sha256").update(first.zip).digest("base64"));
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});

test("other code, or another configuration, is another package", async () => {
  const first = await buildBundle(configuration(), folder);
  expect((await buildBundle(configuration("sales"), folder)).codeSha256).not.toBe(first.codeSha256);
  writeFileSync(join(folder, "curate.mjs"), `${CODE}// changed\n`);
  expect((await buildBundle(configuration(), folder)).codeSha256).not.toBe(first.codeSha256);
  writeFileSync(join(folder, "curate.mjs"), CODE);
});

test("another program reads it: two files, readable by everybody, compressed", async () => {
  const { zip } = await buildBundle(configuration(), folder);
  expect(zip.length).toBeLessThan(CODE.length / 2);
  const file = join(folder, "bundle.zip");
  writeFileSync(file, zip);
  const script = `import json, sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
print(json.dumps([[i.filename, i.external_attr >> 16 & 0o777, i.date_time[0]] for i in z.infolist()] + [z.read("lake.json").decode()]))`;
  const [curate, lake, text] = JSON.parse(execFileSync("python3", ["-c", script, file], { encoding: "utf8" }));
  expect(curate).toEqual(["curate.mjs", 0o644, 1980]);
  expect(lake).toEqual(["lake.json", 0o644, 1980]);
  expect(JSON.parse(text)).toEqual(configuration());
});

test("a function that was not built is named", async () => {
  await expect(buildBundle(configuration(), join(folder, "nowhere"))).rejects.toMatchObject({
    code: "Internal",
    message: expect.stringContaining("curate.mjs"),
    hint: expect.stringContaining("npm run build"),
  });
});
