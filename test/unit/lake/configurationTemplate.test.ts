import { expect, test } from "vitest";
import { resolveConfiguration } from "../../../src/lake/configuration.ts";
import { parseConfiguration } from "../../../src/lake/configurationFile.ts";
import { configurationTemplate } from "../../../src/lake/configurationTemplate.ts";

const read = (text: string) => parseConfiguration(text, "minilake.yaml");
/** Every line that is commented out, taken at its word; sentences stay comments. */
const uncommented = (text: string) => text.replace(/^# ?(?=(?: {2})?[a-zA-Z]+:(?: |$))/gm, "");

test("as it is written it says what was chosen, and nothing else", () => {
  expect(read(configurationTemplate({}))).toEqual({});
  expect(read(configurationTemplate({ lake: "orders", contract: "my orders.odcs.yaml" }))).toEqual({
    lake: "orders",
    contract: "my orders.odcs.yaml",
  });
});

test("every setting stands in it, and what is called a default is one", () => {
  const values = read(uncommented(configurationTemplate({})));
  expect(Object.keys(values).sort()).toEqual([
    ...["backend", "contract", "dialect", "endpointUrl", "format", "function", "lake", "onDelete", "partition", "port"],
    ...["profile", "region", "retention", "schema"],
  ]);
  expect(Object.keys(values.dialect ?? {}).sort()).toEqual(["columns", "delimiter", "encoding", "quote", "skipLines"]);
  const defaults = resolveConfiguration({});
  expect(values).toMatchObject({
    lake: defaults.lake,
    backend: defaults.backend,
    region: defaults.region,
    port: defaults.port,
    format: defaults.format,
    onDelete: defaults.onDelete,
    partition: { as: defaults.partition.as, timezone: defaults.partition.timezone },
    function: { memory: defaults.memoryMb, timeout: defaults.timeoutSeconds },
  });
});
