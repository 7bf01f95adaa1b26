import type { CompiledContract } from "../src/contract/compiledContract.ts";
import { TrustedRows } from "./contract/trustedRows.ts";
import { DayReader } from "./partition.ts";
import { csvBody, type PrepareObject, prepareObject, quarantineOutput, refuseLargeOutput } from "./prepareObject.ts";
import { FileRefused } from "./reader/layout.ts";
import type { PreparedOutput } from "./stage.ts";
import { routeText } from "./textRoute.ts";

/** Half of what is measured with every column checked. */
const VALIDATE_BYTES_PER_SECOND = 40_000_000;

/** The work of the stage `validate`: one raw object into a trusted one that keeps the contract, and quarantine. */
export const prepareValidate: PrepareObject = (key, source, body, configuration, stage, limits) =>
  prepareObject(key, source, configuration, stage, limits, VALIDATE_BYTES_PER_SECOND, async (outputs) => {
    const contract = contractOf(configuration.contract);
    const text = await routeText(
      {
        key,
        size: source.size,
        body,
        plan: { dialect: configuration.dialect },
        days: new DayReader(configuration.partition.timezone),
        open: (layout, compressed) =>
          new TrustedRows(contract, layout, outputs, compressed ? Number.POSITIVE_INFINITY : source.size),
      },
      outputs,
    );
    const { destination, dialect, rows, bytes } = text;
    const { output } = destination;
    try {
      refuseLargeOutput(outputs, output, "what is accepted");
      const warnings = destination.finish();
      const trusted: PreparedOutput = {
        kind: "trusted",
        bucket: stage.targetBucket,
        key,
        rows: outputs.rows(output),
        body: () => csvBody(outputs, output, text.compressed),
      };
      return {
        status: "done",
        dialect,
        partition: null,
        rows,
        bytes,
        warnings,
        outputs: [trusted, ...quarantineOutput(key, outputs, text.rejects, configuration, stage)],
        discard: () => outputs.discard(),
      };
    } catch (error) {
      if (error instanceof FileRefused) error.dialect = dialect;
      throw error;
    }
  });

function contractOf(contract: CompiledContract | undefined): CompiledContract {
  if (contract === undefined) throw new Error("lake.json has no contract for validate to hold files against");
  return contract;
}
