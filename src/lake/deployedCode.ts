import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { GetFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import type { Clients } from "../backends/clients.ts";
import { isAwsError, MinilakeError } from "../errors.ts";
import { packageRoot } from "../packageRoot.ts";
import { buildLakeBundle } from "./bundle.ts";
import type { LakeDefinition, StageDefinition } from "./definition.ts";

/**
 * What a receipt of a stage says when the function that is deployed now has written it.
 *
 * code      hex SHA-256; undefined when it cannot be known from here
 * contract  undefined when the lake has none
 */
export interface DeployedCode {
  code: string | undefined;
  contract: { id: string; version: string } | undefined;
  /** Why `code` is undefined: there is no function, or it was made of another code or configuration than is here. */
  unknown?: "no-function" | "differs";
}

/** The function's package, when it is the one that `up` would deploy, is known to the byte. */
export async function findDeployedCode(
  clients: Clients,
  definition: LakeDefinition,
  stage: StageDefinition,
  handlerFolder: string = join(packageRoot(), "dist", "handler"),
): Promise<DeployedCode> {
  const { configuration } = definition;
  const contract = configuration.contract && { id: configuration.contract.id, version: configuration.contract.version };
  const lambda = await clients.lambda();
  let deployed: string | undefined;
  try {
    const answer = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: stage.functionName }));
    deployed = answer.CodeSha256;
  } catch (error) {
    if (!isAwsError(error, "ResourceNotFoundException")) throw error;
    return { code: undefined, contract, unknown: "no-function" };
  }
  const bundle = await buildLakeBundle(definition, {}, handlerFolder).catch((error: unknown) => {
    // What cannot be built here was not deployed from here.
    if (error instanceof MinilakeError) return undefined;
    throw error;
  });
  if (deployed !== bundle?.codeSha256) return { code: undefined, contract, unknown: "differs" };
  // As the function itself reckons it: over its file and the lake.json beside it.
  const code = createHash("sha256")
    .update(await readFile(join(handlerFolder, `${stage.name}.mjs`)))
    .update(`${JSON.stringify(configuration, null, 2)}\n`)
    .digest("hex");
  return { code, contract };
}
