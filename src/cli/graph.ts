import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { MinilakeError } from "../errors.ts";
import { defineLake } from "../lake/definition.ts";
import { lakeGraph } from "../lake/lakeGraph.ts";
import { renderSvg } from "../ui/graphSvg.ts";
import { renderMermaid } from "../ui/mermaid.ts";
import type { CommandContext } from "./context.ts";
import { choosePlace } from "./lake.ts";
import type { LakeOptions } from "./options.ts";

export interface GraphOptions extends LakeOptions {
  svg?: boolean;
  output?: string;
}

/** Stands for what only the account itself can tell. */
const SOME_ACCOUNT = "000000000000";

/** Draws the definition; nothing has to be up. */
export async function runGraph(context: CommandContext, options: GraphOptions): Promise<void> {
  const { output, cwd } = context;
  const { configuration, backend } = choosePlace(context, options);
  const { globalBucketNames, architecture } = backend;
  const accountId = backend.accountId ?? SOME_ACCOUNT;
  const graph = lakeGraph(defineLake(configuration, { accountId, globalBucketNames, architecture }));
  if (options.json) return output.json(graph);
  const asSvg = options.svg ?? options.output?.toLowerCase().endsWith(".svg") ?? false;
  const text = asSvg ? renderSvg(graph) : `${renderMermaid(graph)}\n`;
  if (options.output === undefined) return output.raw("stdout", text);
  try {
    writeFileSync(resolve(cwd, options.output), text);
  } catch (cause) {
    throw new MinilakeError(
      "Usage",
      `The drawing cannot be written to ${options.output}: ${(cause as Error).message}`,
      {
        hint: "Name another file: --output lake.svg",
        cause,
      },
    );
  }
  output.note(`✔ ${options.output} written`);
}
