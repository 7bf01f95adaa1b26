import type {
  ColumnCheck,
  CompiledContract,
  ContractColumn,
  ContractGate,
} from "../../../src/contract/compiledContract.ts";

const column = (
  name: string,
  type: ContractColumn["type"],
  checks: ColumnCheck[] = [],
  required: ContractColumn["required"] = null,
): ContractColumn => ({ name, type, required, checks });

/** Sales: an id, a day written as people do, a name that is only warned of when it is long, an amount, a status. */
export const SALES_CONTRACT: CompiledContract = {
  id: "sales",
  version: "1.0.0",
  schema: "sales",
  columns: [
    column("id", { name: "integer", bits: "i32" }, [{ rule: "minimum", value: "1", severity: "error" }], "error"),
    column("day", { name: "date", format: "dd/MM/yyyy" }, [], "error"),
    column("name", { name: "string" }, [{ rule: "max-length", value: 8, severity: "warning" }], "warning"),
    column("amount", { name: "number", bits: 64, decimal: { precision: 8, scale: 2 } }),
    column("status", { name: "string" }, [{ rule: "valid-values", values: ["paid", "open"], severity: "error" }]),
    column("note", { name: "string" }),
  ],
  unknownColumns: "keep",
  gates: [
    {
      rule: "unique",
      columns: ["id"],
      unit: "rows",
      operator: "mustBe",
      bounds: [0],
      severity: "error",
    },
  ],
};

export const salesContract = (change: (contract: CompiledContract) => void = () => undefined): CompiledContract => {
  const contract = structuredClone(SALES_CONTRACT);
  change(contract);
  return contract;
};

export const gate = (rule: ContractGate["rule"], changes: Partial<ContractGate>): ContractGate => ({
  rule,
  columns: [],
  unit: "rows",
  operator: "mustBe",
  bounds: [0],
  severity: "error",
  ...changes,
});
