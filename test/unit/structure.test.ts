import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../src/packageRoot.ts";

interface Import {
  file: string;
  /** A path from the package's root for a file of ours, else the module's name. */
  from: string;
  typeOnly: boolean;
}

const root = packageRoot();

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function importsOf(folder: string): Import[] {
  return sources(folder).flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    const statements = [
      ...text.matchAll(/^(?:import|export)\s+(type\s)?[^;"]*?from\s+"([^"]+)"/gm),
      ...text.matchAll(/^import\s+()"([^"]+)"/gm),
      ...text.matchAll(/\bimport\(()\s*"([^"]+)"/g),
    ];
    return statements.map(([, type, from]) => ({
      file,
      from: from!.startsWith(".") ? join(dirname(file), from!) : from!,
      typeOnly: type !== undefined && type !== "",
    }));
  });
}

const offences = (folder: string, isAllowed: (each: Import) => boolean) =>
  importsOf(folder)
    .filter((each) => !isAllowed(each))
    .map(({ file, from }) => `${file} imports ${from}`);

describe("who may import whom (DESIGN 13)", () => {
  it("finds imports at all", () => {
    expect(importsOf("src").length).toBeGreaterThan(500);
  });

  it("functions take nothing from src but the contract's types and pure rules", () => {
    const allowed = ({ from }: Import) =>
      from.startsWith("handler/") || from.startsWith("src/contract/") || from.startsWith("node:");
    expect(offences("handler", allowed)).toEqual([]);
  });

  it("verify shares no code with the functions", () => {
    const allowed = ({ from, typeOnly }: Import) =>
      !from.startsWith("handler/") && (!from.startsWith("src/contract/") || typeOnly || from.endsWith("receipt.ts"));
    expect(offences("src/verify", allowed)).toEqual([]);
  });

  it("the embedded endpoint needs nothing of the lake, and no AWS SDK but its types", () => {
    const allowed = ({ from, typeOnly }: Import) =>
      from.startsWith("src/emulator/") ||
      ["src/errors.ts", "src/packageRoot.ts", "src/processRuns.ts"].includes(from) ||
      from.startsWith("node:") ||
      ["lmdb", "fast-xml-parser", "hash-wasm", "yauzl"].includes(from) ||
      (from.startsWith("@aws-sdk/") && typeOnly);
    expect(offences("src/emulator", allowed)).toEqual([]);
  });

  it.each(["s3", "lambda", "iam", "sqs", "logs", "cloudwatch"])(
    "the service %s does not know the others",
    (service) => {
      const others = /^src\/emulator\/(s3|lambda|iam|sqs|logs|cloudwatch)\//;
      const allowed = ({ from }: Import) => others.exec(from)?.[1] === undefined || others.exec(from)?.[1] === service;
      expect(offences(`src/emulator/${service}`, allowed)).toEqual([]);
    },
  );

  it("below the command line nothing knows it", () => {
    for (const folder of ["src/lake", "src/backends", "src/verify", "src/emulator", "src/contract"]) {
      expect(offences(folder, ({ from }) => !/^src\/(cli|ui)\//.test(from))).toEqual([]);
    }
  });

  it("only backends know the embedded endpoint, and only the command emulator starts it", () => {
    const allowed = ({ from, file }: Import) => !from.startsWith("src/emulator/") || file === "src/cli/emulator.ts";
    for (const folder of ["src/lake", "src/verify", "src/cli", "src/ui"]) expect(offences(folder, allowed)).toEqual([]);
  });

  it("below the command line nothing prints, exits or reads the arguments", () => {
    const forbidden = /\bconsole\.\w+\(|process\.(stdout|argv|exit\b)/;
    const found = ["src/lake", "src/backends", "src/verify", "src/contract", "src/emulator"]
      .flatMap(sources)
      .filter((file) => !file.includes("/runtimes/"))
      .filter((file) =>
        readFileSync(join(root, file), "utf8")
          .split("\n")
          .some((line) => forbidden.test(line) && !/^\s*(\*|\/\/)/.test(line)),
      );
    expect(found).toEqual([]);
  });
});
