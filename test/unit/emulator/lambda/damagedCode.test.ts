import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { expect, test } from "vitest";
import { removeFolder } from "../../../../src/emulator/lambda/codeStore.ts";
import { lambdaEndpoint } from "./endpoint.ts";
import { createFunction } from "./functions.ts";

test.each([
  ["is missing", (zip: string) => rmSync(zip)],
  ["is not as it was uploaded", (zip: string) => writeFileSync(zip, "something else")],
])("a function whose code %s is refused in words that name the file", async (fault, damage) => {
  const endpoint = await lambdaEndpoint();
  await createFunction(endpoint, "export const handler = async () => 1;");
  const invoke = () => endpoint.lambda.send(new InvokeCommand({ FunctionName: "f" }));
  await invoke();
  const [zip = ""] = readdirSync(endpoint.folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".zip"))
    .map((name) => join(endpoint.folder, name));
  const unpacked = zip.slice(0, -".zip".length);
  await endpoint.restart();
  await removeFolder(unpacked);
  expect((await invoke()).FunctionError).toBeUndefined();
  expect(existsSync(unpacked)).toBe(true);
  await endpoint.restart();
  await removeFolder(unpacked);
  damage(zip);
  await expect(invoke()).rejects.toMatchObject({
    name: "ServiceException",
    message: expect.stringContaining(`${zip} ${fault}. Put the file back`),
    $metadata: { httpStatusCode: 500 },
  });
});
