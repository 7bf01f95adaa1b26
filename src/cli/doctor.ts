import {
  type Check,
  checkAws,
  checkDataFolder,
  checkDocker,
  checkDuckDb,
  checkEndpoint,
  checkNode,
  checkPackage,
  checkPort,
  checkPython,
} from "../backends/checks.ts";
import { MinilakeError } from "../errors.ts";
import { OPERATOR_ACTIONS } from "../lake/operatorActions.ts";
import { packageRoot } from "../packageRoot.ts";
import { plural, printable } from "../ui/format.ts";
import { createSteps } from "../ui/steps.ts";
import type { CommandContext } from "./context.ts";
import { choosePlace, type LakePlaceChoice, shortPath } from "./lake.ts";
import type { LakeOptions } from "./options.ts";
import { version } from "./version.ts";

/** Looks at everything that a lake here needs; changes nothing. */
export async function runDoctor(context: CommandContext, options: LakeOptions): Promise<void> {
  const { output } = context;
  const steps = await createSteps(output, true);
  steps.start("Looking around");
  const checks: Check[] = [checkNode(), checkPackage(packageRoot()), await checkDuckDb()];
  const [place, definition] = checkDefinition(context, options);
  checks.push(definition);
  if (place) checks.push(...(await checkPlace(place)));
  checks.push(await checkDocker(place?.backend.name === "localstack"), await checkPython());
  steps.stop();
  const bad = checks.filter(({ state }) => state === "bad");
  if (bad.length > 0) context.exitCode = 1;
  if (options.json) {
    const permissions = place?.backend.name === "aws" ? { permissionsNeeded: OPERATOR_ACTIONS } : {};
    return output.json({
      version: version(),
      ok: bad.length === 0,
      backend: place?.backend.name,
      checks,
      ...permissions,
    });
  }
  const colours = await output.colours("stdout");
  const marks = { ok: colours.green("✔"), note: colours.dim("–"), bad: colours.red("✖") };
  const width = Math.max(...checks.map(({ name }) => name.length));
  output.print(`minilake ${version()}, ${place ? place.backend.describe : "no usable configuration"}\n`);
  for (const { name, state, found, advice } of checks) {
    output.print(`  ${marks[state]} ${name.padEnd(width)}  ${printable(found)}`);
    if (advice) output.print(`    ${" ".repeat(width)}  ${state === "bad" ? advice : colours.dim(advice)}`);
  }
  output.print();
  output.print(
    bad.length === 0
      ? `${colours.green("✔")} Everything that this lake needs is there.`
      : `${colours.red("✖")} ${plural(bad.length, "thing")} to mend.`,
  );
}

function checkDefinition(context: CommandContext, options: LakeOptions): [LakePlaceChoice | undefined, Check] {
  const name = "definition";
  try {
    const place = choosePlace(context, options);
    const { file, contract, lake } = place.configuration;
    const from = file === undefined ? "defaults, no minilake.yaml" : shortPath(file);
    const held = contract ? `, contract ${contract.id} ${contract.version}` : "";
    return [place, { name, state: "ok", found: `lake ${lake}, ${from}${held}` }];
  } catch (error) {
    if (!(error instanceof MinilakeError)) throw error;
    return [
      undefined,
      { name, state: "bad", found: error.message, advice: error.hint ?? "Mend it and run this again" },
    ];
  }
}

async function checkPlace({ backend, configuration, dataDir }: LakePlaceChoice): Promise<Check[]> {
  switch (backend.name) {
    case "embedded":
      return [checkDataFolder(dataDir), await checkPort(configuration.port, backend)];
    case "localstack":
      if (await backend.isRunning())
        return [{ name: "LocalStack", state: "ok", found: `answers at ${backend.endpoint}` }];
      return [
        {
          name: "LocalStack",
          state: "note",
          found: `does not run at ${backend.endpoint}`,
          advice: "minilake up starts it",
        },
      ];
    case "endpoint":
      return [await checkEndpoint(backend.endpoint!)];
    case "aws":
      return checkAws(backend);
  }
}
