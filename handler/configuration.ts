import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FunctionConfiguration, StageConfiguration } from "../src/contract/functionConfiguration.ts";

export interface LoadedConfiguration {
  configuration: FunctionConfiguration;
  /** Hex SHA-256 over the function's file and its configuration. */
  code: string;
}

/** Reads `lake.json` beside the function's own file. */
export function loadConfiguration(moduleUrl: string): LoadedConfiguration {
  const self = fileURLToPath(moduleUrl);
  const text = readFileSync(join(dirname(self), "lake.json"));
  const code = createHash("sha256").update(readFileSync(self)).update(text).digest("hex");
  const configuration = JSON.parse(text.toString("utf8")) as FunctionConfiguration;
  if (configuration.version !== 1) {
    throw new Error(`lake.json has version ${configuration.version}; this function reads version 1`);
  }
  return { configuration, code };
}

export function findStage(configuration: FunctionConfiguration, name: StageConfiguration["name"]): StageConfiguration {
  const stage = configuration.stages.find((candidate) => candidate.name === name);
  if (stage === undefined) throw new Error(`lake.json has no stage ${name}`);
  return stage;
}

/**
 * The configuration as one stage is to follow it. What a contract lake's `curate` reads is made by `validate`, which takes
 * it away only when it is to go: with `onDelete: keep` a deleted raw object leaves its trusted one where it is.
 */
export function readingOf(
  configuration: FunctionConfiguration,
  name: StageConfiguration["name"],
): FunctionConfiguration {
  if (name !== "curate" || configuration.contract === undefined) return configuration;
  return { ...configuration, onDelete: "remove" };
}
