import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { UNSUPPORTED } from "../../../src/emulator/lambda/routes.ts";
import { REFUSED_BUCKET_OPERATIONS, REFUSED_OBJECT_OPERATIONS } from "../../../src/emulator/s3/refusedOperations.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const documentation = readFileSync(join(root, "docs/emulator.md"), "utf8");
const FOLDERS = {
  S3: "s3/operations",
  IAM: "iam/operations",
  STS: "iam/sts",
  Lambda: "lambda/operations",
  SQS: "sqs/operations",
  Logs: "logs/operations",
  CloudWatch: "cloudwatch/operations",
};

/** Operations that have no file, and whose names the service knows so that it can refuse them. */
const KNOWN_BY_NAME: Partial<Record<string, string[]>> = {
  S3: [REFUSED_BUCKET_OPERATIONS, REFUSED_OBJECT_OPERATIONS].flatMap(Object.values).flatMap(Object.values),
  Lambda: UNSUPPORTED.map(({ operation }) => operation),
};

/** Names in the paragraph `Done: …` or `Refused: …` of a service's section. */
function documented(service: string, paragraph: "Done" | "Refused"): string[] {
  const section = documentation.split(/^### /m).find((each) => each.startsWith(`${service}\n`)) ?? "";
  const text = section.split("\n\n").find((each) => each.startsWith(`${paragraph}: `)) ?? "";
  return [...text.matchAll(/`(\w+)`/g)].map(([, name]) => name!).sort();
}

/** Operations by the names of their files: one operation, one file. */
function implemented(folder: string): { done: string[]; refused: string[] } {
  const files = readdirSync(join(root, "src/emulator", folder)).filter((file) => !/^(index|operation)\.ts$/.test(file));
  const names = files.map((file) => file[0]!.toUpperCase() + file.slice(1, -".ts".length)).sort();
  const isRefused = (name: string) => {
    const file = files.find((each) => each.toLowerCase() === `${name.toLowerCase()}.ts`)!;
    return readFileSync(join(root, "src/emulator", folder, file), "utf8").endsWith(
      `throw notImplemented("s3:${name}");\n};\n`,
    );
  };
  return { done: names.filter((name) => !isRefused(name)), refused: names.filter(isRefused) };
}

describe("docs/emulator.md names the operations that there are", () => {
  for (const [service, folder] of Object.entries(FOLDERS)) {
    it(`of ${service}`, () => {
      const { done, refused } = implemented(folder);
      expect(documented(service, "Done")).toEqual(done);
      expect(documented(service, "Refused")).toEqual([...refused, ...(KNOWN_BY_NAME[service] ?? [])].sort());
    });
  }
});
