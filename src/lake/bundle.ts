import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FunctionConfiguration } from "../contract/functionConfiguration.ts";
import { MinilakeError } from "../errors.ts";
import { packageRoot } from "../packageRoot.ts";
import type { LakeDefinition } from "./definition.ts";
import {
  type DuckDbPackageOptions,
  duckDbZip,
  type FunctionPlatform,
  hostPlatform,
  linuxPlatform,
} from "./duckdbPackage.ts";
import { joinZips, zipEntries } from "./zipFile.ts";

/** A deployment package. */
export interface Bundle {
  zip: Buffer;
  /** Base64 SHA-256 of the zip, as Lambda reports it. */
  codeSha256: string;
}

/**
 * The deployment package of a lake: its functions' code and `lake.json`, and DuckDB where they write Parquet.
 * The same code and configuration give the same bytes on every machine, so that nothing unchanged is deployed again.
 *
 * handlerFolder   where the built functions are; @default dist/handler of the package
 * platform        what the functions run on, which matters to DuckDB alone; @default this machine
 * Throws          MinilakeError Internal, Config
 */
export async function buildBundle(
  configuration: FunctionConfiguration,
  handlerFolder: string = join(packageRoot(), "dist", "handler"),
  { platform, ...options }: { platform?: FunctionPlatform } & DuckDbPackageOptions = {},
): Promise<Bundle> {
  const names = [...new Set(configuration.stages.map((stage) => `${stage.name}.mjs`))].sort();
  const code = await Promise.all(names.map((name) => readHandler(join(handlerFolder, name))));
  const entries = names.map((name, index) => ({ name, content: code[index]! }));
  entries.push({ name: "lake.json", content: Buffer.from(`${JSON.stringify(configuration, null, 2)}\n`) });
  const own = await zipEntries(entries);
  const zip =
    configuration.format === "parquet" ? joinZips(own, await duckDbZip(platform ?? hostPlatform(), options)) : own;
  return { zip, codeSha256: createHash("sha256").update(zip).digest("base64") };
}

/** The package for the machines that the lake's functions run on. */
export function buildLakeBundle(
  definition: LakeDefinition,
  { onProgress, signal, cacheFolder }: DuckDbPackageOptions = {},
  handlerFolder?: string,
): Promise<Bundle> {
  const platform = definition.functionsRunHere ? undefined : linuxPlatform(definition.stages[0]!.architecture);
  const options = { onProgress, signal, cacheFolder };
  return buildBundle(definition.configuration, handlerFolder, { ...(platform && { platform }), ...options });
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
