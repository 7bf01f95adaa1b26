/** A contract, compiled, that checks every column of the file of generateTransactions.mjs, and its key for duplicates. */
const error = (check) => ({ ...check, severity: "error" });

export const transactionsContract = {
  id: "transactions",
  version: "1.0.0",
  schema: "transactions",
  columns: [
    {
      name: "transaction_id",
      type: { name: "string" },
      required: "error",
      checks: [error({ rule: "pattern", value: "^[0-9]{12}$" })],
    },
    {
      name: "transaction_date",
      type: { name: "date" },
      required: "error",
      checks: [error({ rule: "minimum", value: "2000-01-01" })],
    },
    {
      name: "customer_id",
      type: { name: "string" },
      required: "error",
      checks: [error({ rule: "min-length", value: 10 }), error({ rule: "max-length", value: 10 })],
    },
    {
      name: "merchant",
      type: { name: "string" },
      required: "error",
      checks: [error({ rule: "max-length", value: 40 })],
    },
    {
      name: "amount",
      type: { name: "number", bits: 64, decimal: { precision: 12, scale: 2 } },
      required: "error",
      checks: [error({ rule: "minimum", value: "-100000" }), error({ rule: "maximum", value: "100000" })],
    },
    {
      name: "currency",
      type: { name: "string" },
      required: "error",
      checks: [error({ rule: "pattern", value: "^[A-Z]{3}$" })],
    },
    {
      name: "status",
      type: { name: "string" },
      required: "error",
      checks: [error({ rule: "valid-values", values: ["pending", "settled", "declined", "refunded", "approved"] })],
    },
  ],
  unknownColumns: "refuse",
  gates: [
    {
      rule: "primary-key",
      columns: ["transaction_id"],
      unit: "rows",
      operator: "mustBe",
      bounds: [0],
      severity: "error",
    },
  ],
};
