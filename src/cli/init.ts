import { existsSync, rmSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import {
  type FileProfile,
  type InferredContract,
  inferContract,
  partitionCandidates,
  profileFile,
} from "../contract/odcs/infer.ts";
import { MinilakeError } from "../errors.ts";
import { readConfigurationFile } from "../lake/configuration.ts";
import { configurationTemplate } from "../lake/configurationTemplate.ts";
import { checks } from "../lake/settingChecks.ts";
import { choose } from "../ui/choose.ts";
import { plural, printable, shortList } from "../ui/format.ts";
import { createSteps } from "../ui/steps.ts";
import type { CommandContext } from "./context.ts";
import { renderInitReport } from "./initReport.ts";
import type { ReportOptions } from "./options.ts";

export interface InitOptions extends ReportOptions {
  partitionColumn?: string;
  dateOrder?: "day-first" | "month-first";
  /** False: --no-header. */
  header?: boolean;
  lake?: string;
  force?: boolean;
  dryRun?: boolean;
}

export interface NewFile {
  /** From the current folder. */
  path: string;
  text: string;
}

const CONFIGURATION = "minilake.yaml";

/** Writes minilake.yaml, and the contract that a file suggests. Nothing is overwritten without --force. */
export async function runInit(context: CommandContext, file: string | undefined, options: InitOptions): Promise<void> {
  const { output, cwd } = context;
  const name = file === undefined ? undefined : nameOf(file);
  const contractPath = name === undefined ? undefined : `${name}.odcs.yaml`;
  const overwrites = options.dryRun === true || options.force === true;
  const target = contractPath ?? CONFIGURATION;
  if (!overwrites && existsSync(resolve(cwd, target))) refuseExisting(target);
  // With a file it is the contract that is wanted: settings that are there stay as they are.
  const keepsSettings = !overwrites && existsSync(resolve(cwd, CONFIGURATION));
  const inferred = file === undefined ? undefined : await infer(context, file, name!, options);
  const lake = options.lake ?? (inferred && lakeName(name!));
  const files: NewFile[] = [
    ...(inferred ? [{ path: contractPath!, text: inferred.contract.text }] : []),
    ...(keepsSettings ? [] : [{ path: CONFIGURATION, text: configurationTemplate({ lake, contract: contractPath }) }]),
  ];
  if (!options.dryRun) writeFiles(cwd, files, options.force === true);
  if (options.json) return output.json(describe(files, lake, inferred, options));
  if (options.dryRun) {
    for (const { path, text } of files) output.print(`# ---- ${path} ----\n${text}`);
    return;
  }
  const addLine = keepsSettings && lacksContract(cwd, contractPath!) ? `contract: ${contractPath}` : undefined;
  output.print(await renderInitReport(output, { files, file, keptSettings: keepsSettings, addLine, ...inferred }));
}

interface Inferred {
  profile: FileProfile;
  contract: InferredContract;
}

async function infer(context: CommandContext, file: string, name: string, options: InitOptions): Promise<Inferred> {
  const { output, signal } = context;
  const path = resolve(context.cwd, file);
  const steps = await createSteps(output, true);
  let profile: FileProfile;
  try {
    steps.start(`Reading ${file}`);
    profile = await profileFile(path, {
      signal,
      ...(options.header === false && { header: false }),
      onProgress: (bytes, total, rows) =>
        steps.update(`Reading ${file}: ${plural(rows, "row")}, ${Math.round((bytes / total) * 100)} %`),
    });
  } finally {
    steps.stop();
  }
  const candidates = partitionCandidates(profile);
  const partitionColumn = options.partitionColumn ?? (await choosePartition(context, profile.file, candidates));
  const settled = { id: name, ...(partitionColumn !== undefined && { partitionColumn }) };
  const order = options.dateOrder;
  const contract = inferContract(profile, { ...settled, ...(order && { dateOrder: order }) });
  const unsettled = contract.columns.find(
    ({ name, isAmbiguous }) => isAmbiguous && name === contract.loaded.partition?.column,
  );
  if (order !== undefined || unsettled === undefined) return { profile, contract };
  return {
    profile,
    contract: inferContract(profile, { ...settled, dateOrder: await chooseOrder(context, unsettled.name) }),
  };
}

async function choosePartition(
  context: CommandContext,
  file: string,
  candidates: string[],
): Promise<string | undefined> {
  if (candidates.length < 2) return candidates[0];
  const names = shortList(candidates, 8);
  const index = await choose(
    context.output,
    `${printable(file)} has ${candidates.length} columns of dates. By which one are rows stored?`,
    candidates.map(printable),
    {
      ...terminalOf(context),
      otherwise: new MinilakeError(
        "Usage",
        `${file} has ${candidates.length} columns of dates, and one of them must say where a row is stored: ${names}.`,
        {
          hint: `Name it: --partition-column ${JSON.stringify(candidates[0])}`,
        },
      ),
    },
  );
  return candidates[index];
}

/** A row that is stored under the wrong day is found by nobody, so this is not guessed. */
async function chooseOrder(context: CommandContext, column: string): Promise<"day-first" | "month-first"> {
  const what = `Nothing in the column ${printable(column)} shows whether 03/04 is in March or in April`;
  const index = await choose(context.output, `${what}. Which comes first?`, ["day-first", "month-first"], {
    ...terminalOf(context),
    otherwise: new MinilakeError("Usage", `${what}, and rows are stored by it.`, {
      hint: "Say which comes first: --date-order day-first, or --date-order month-first",
    }),
  });
  return index === 0 ? "day-first" : "month-first";
}

function terminalOf({ stdin, signal }: CommandContext) {
  return { input: stdin as NodeJS.ReadStream, signal };
}

/** transactions.csv.gz -> transactions; anything odd becomes a hyphen. */
function nameOf(file: string): string {
  const stem = basename(file).replace(/(?:\.(?:csv|tsv|txt))?(?:\.gz)?$/i, "");
  return stem.replace(/[^\p{L}\p{N}_.-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "") || "rows";
}

/** Undefined where a lake cannot be called like the file. */
function lakeName(name: string): string | undefined {
  const lake = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return checks.lake(lake) === undefined ? lake : undefined;
}

function refuseExisting(path: string): never {
  throw new MinilakeError("Usage", `${path} is there already.`, {
    hint: "To see what would be written: --dry-run. To overwrite it: --force",
  });
}

/** True when the settings that were kept do not name the contract yet. */
function lacksContract(cwd: string, contractPath: string): boolean {
  const named = readConfigurationFile(resolve(cwd, CONFIGURATION))?.values.contract;
  return named === undefined || resolve(cwd, named) !== resolve(cwd, contractPath);
}

/** All of the files, or none when one of them cannot be written. */
function writeFiles(cwd: string, files: NewFile[], force: boolean): void {
  const written: string[] = [];
  try {
    for (const { path, text } of files) {
      const target = resolve(cwd, path);
      writeFileSync(target, text, { flag: force ? "w" : "wx" });
      written.push(target);
    }
  } catch (error) {
    if (!force) for (const path of written) rmSync(path, { force: true });
    throw error;
  }
}

function describe(files: NewFile[], lake: string | undefined, inferred: Inferred | undefined, { dryRun }: InitOptions) {
  return {
    lake: lake ?? "transactions",
    written: !dryRun,
    files: files.map(({ path, text }) => (dryRun ? { path, text } : { path })),
    ...(inferred && {
      contract: files[0]!.path,
      partitionColumn: inferred.contract.loaded.partition?.column ?? null,
      rows: inferred.profile.rows,
      complete: inferred.profile.complete,
      ragged: inferred.profile.ragged.count,
      undecodable: inferred.profile.undecodable.count,
      rejected: inferred.contract.rejected,
      columns: inferred.contract.columns.map(({ name, type, required, why }) => ({ name, type, required, why })),
    }),
  };
}
