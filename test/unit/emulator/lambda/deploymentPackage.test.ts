import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { unpackDeploymentPackage } from "../../../../src/emulator/lambda/deploymentPackage.ts";

interface RawEntry {
  name: string;
  content?: string | Buffer;
  /** Unix mode with its type bits. @default 0o100644 */
  mode?: number;
  /** Lies in the headers. */
  declaredSize?: number;
  crc?: number;
  flags?: number;
}

/** A zip written by hand, so that it can be wrong. */
function rawZip(entries: RawEntry[]): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = "", mode = 0o100644, declaredSize, crc, flags = 0 } of entries) {
    const bytes = Buffer.from(content);
    const deflated = deflateRawSync(bytes);
    const nameBytes = Buffer.from(name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(flags, 2);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc ?? crc32(bytes), 10);
    fields.writeUInt32LE(deflated.length, 14);
    fields.writeUInt32LE(declaredSize ?? bytes.length, 18);
    fields.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), fields, nameBytes, deflated]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((mode << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02"), Buffer.from([20, 3]), fields, tail, nameBytes]));
    locals.push(local);
    offset += local.length;
  }
  const directoryBytes = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directoryBytes.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directoryBytes, end]);
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "minilake-zip-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return join(made);
}

const UNREADABLE = "Could not unzip uploaded file. Please check your file, then try to upload again.";
const TOO_LARGE = "Unzipped size must be smaller than 262144000 bytes";
const LINK = 0o120777;

test("files, folders, modes and links inside come out as they went in", async () => {
  const into = folder();
  await unpackDeploymentPackage(
    rawZip([
      { name: "index.mjs", content: "export {}" },
      { name: "bin/", mode: 0o040755 },
      { name: "bin/tool", content: "#!/bin/sh", mode: 0o100755 },
      { name: "big", content: Buffer.alloc(3 << 20, 7) },
      { name: "latest", content: "bin/tool", mode: LINK },
      { name: "data/ünïcode ☃.txt", content: "x", flags: 0x800 },
    ]),
    into,
  );
  expect(readdirSync(into).sort()).toEqual(["big", "bin", "data", "index.mjs", "latest"]);
  expect(readdirSync(join(into, "data"))).toEqual(["ünïcode ☃.txt"]);
  expect(statSync(join(into, "bin/tool")).mode & 0o777).toBe(0o555);
  expect(readFileSync(join(into, "latest"), "utf8")).toBe("#!/bin/sh");
  expect(readFileSync(join(into, "big")).equals(Buffer.alloc(3 << 20, 7))).toBe(true);
});

test("a file is for everybody what its package allows those who do not own it", async () => {
  const into = folder();
  await unpackDeploymentPackage(
    rawZip([
      { name: "owner", content: "x", mode: 0o100700 },
      { name: "group", content: "x", mode: 0o100770 },
      { name: "all", content: "x", mode: 0o100604 },
      { name: "unknown", content: "x" },
    ]),
    into,
  );
  const modes = ["owner", "group", "all", "unknown"].map((name) => statSync(join(into, name)).mode & 0o777);
  expect(modes).toEqual([0, 0, 0o444, 0o444]);
});

describe("refused", () => {
  test.each<[string, RawEntry[], string]>([
    ["a name that climbs out", [{ name: "../out", content: "x" }], UNREADABLE],
    ["a name that climbs out later", [{ name: "a/../../out", content: "x" }], UNREADABLE],
    ["an absolute name", [{ name: "/tmp/out", content: "x" }], UNREADABLE],
    ["a Windows name", [{ name: "C:\\out", content: "x" }], UNREADABLE],
    ["a NUL in a name", [{ name: "a\0b", content: "x" }], UNREADABLE],
    [
      "two files of one name",
      [
        { name: "a", content: "1" },
        { name: "./a", content: "2" },
      ],
      UNREADABLE,
    ],
    [
      "a file that is a folder too",
      [
        { name: "a", content: "1" },
        { name: "a/b", content: "2" },
      ],
      UNREADABLE,
    ],
    ["a link to the outside", [{ name: "l", content: "../../etc/passwd", mode: LINK }], UNREADABLE],
    ["a link to an absolute path", [{ name: "l", content: "/etc/passwd", mode: LINK }], UNREADABLE],
    [
      "a file written through a link",
      [
        { name: "l", content: ".", mode: LINK },
        { name: "l/../x", content: "x" },
      ],
      UNREADABLE,
    ],
    [
      "links that lead outside together",
      [
        { name: "deep/up", content: "..", mode: LINK },
        { name: "out", content: "deep/up/../../outside", mode: LINK },
      ],
      UNREADABLE,
    ],
    [
      "links that lead outside together, though not by their text",
      [
        { name: "deep/up", content: "..", mode: LINK },
        { name: "deep/out", content: "up/..", mode: LINK },
      ],
      UNREADABLE,
    ],
    ["a link to nothing", [{ name: "l", content: "not-there", mode: LINK }], UNREADABLE],
    ["a wrong checksum", [{ name: "a", content: "x", crc: 1 }], UNREADABLE],
    ["an encrypted entry", [{ name: "a", content: "x", flags: 1 }], UNREADABLE],
    ["more bytes than declared", [{ name: "a", content: Buffer.alloc(1000), declaredSize: 10 }], UNREADABLE],
    ["a declared size over the limit", [{ name: "a", content: "x", declaredSize: 262_144_001 }], TOO_LARGE],
  ])("%s", async (_name, entries, message) => {
    const into = folder();
    await expect(unpackDeploymentPackage(rawZip(entries), into)).rejects.toMatchObject({
      code: "InvalidParameterValueException",
      message,
    });
    expect(readdirSync(join(into, ".."))).not.toContain("out");
  });

  test("what is no zip, and a zip that was cut off", async () => {
    const whole = rawZip([{ name: "a", content: "x" }]);
    for (const bytes of [Buffer.from("hello"), Buffer.alloc(0), whole.subarray(0, whole.length - 10)]) {
      await expect(unpackDeploymentPackage(bytes, folder())).rejects.toMatchObject({ message: UNREADABLE });
    }
  });

  test("sizes that are over the limit only together", async () => {
    const zeros = Buffer.alloc(90_000_000);
    const zip = rawZip(["a", "b", "c"].map((name) => ({ name, content: zeros })));
    expect(zip.length).toBeLessThan(1_000_000);
    await expect(unpackDeploymentPackage(zip, folder())).rejects.toMatchObject({ message: TOO_LARGE });
  });
});
