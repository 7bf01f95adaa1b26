import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import archiver from "archiver";
import type { FunctionConfiguration } from "../contract/functionConfiguration.ts";
import { MinilakeError } from "../errors.ts";
import { packageRoot } from "../packageRoot.ts";

/** A deployment package. */
export interface Bundle {
  zip: Buffer;
  /** Base64 SHA-256 of the zip, as Lambda reports it. */
  codeSha256: string;
}

/** Zip knows no time before this; every entry gets it, so that the same content is the same bytes. */
const ZIP_EPOCH = new Date("1980-01-01T00:00:00Z");
const FILE_MODE = 0o644;

/**
 * The deployment package of a lake: its functions' code and `lake.json`.
 * The same code and configuration give the same bytes on every machine, so that nothing unchanged is deployed again.
 *
 * handlerFolder   where the built functions are; @default dist/handler of the package
 */
export async function buildBundle(
  configuration: FunctionConfiguration,
  handlerFolder: string = join(packageRoot(), "dist", "handler"),
): Promise<Bundle> {
  const names = [...new Set(configuration.stages.map((stage) => `${stage.name}.mjs`))].sort();
  const code = await Promise.all(names.map((name) => readHandler(join(handlerFolder, name))));
  const entries = names.map((name, index) => ({ name, content: code[index]! }));
  entries.push({ name: "lake.json", content: Buffer.from(`${JSON.stringify(configuration, null, 2)}\n`) });
  const zip = await zipEntries(entries);
  return { zip, codeSha256: createHash("sha256").update(zip).digest("base64") };
}

async function readHandler(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new MinilakeError("Internal", `The function's code is missing: ${file}`, {
      hint: "In a checkout of minilake run: npm run build. Otherwise install minilake again.",
      cause,
    });
  }
}

/** Compressed by one fixed zlib level; order as given. */
export async function zipEntries(entries: { name: string; content: Buffer }[]): Promise<Buffer> {
  const archive = archiver("zip", { zlib: { level: 9 } });
  const chunks: Buffer[] = [];
  const done = new Promise<Buffer>((resolve, reject) => {
    archive.on("data", (chunk: Buffer) => chunks.push(chunk));
    archive.on("end", () => resolve(Buffer.concat(chunks)));
    archive.on("error", reject);
    archive.on("warning", reject);
  });
  for (const { name, content } of entries) archive.append(content, { name, date: ZIP_EPOCH, mode: FILE_MODE });
  await archive.finalize();
  return done;
}
