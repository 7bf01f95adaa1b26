export const SEED: number;
export const BAD_ROWS: Record<
  "noDate" | "impossibleDate" | "otherFormat" | "notADate" | "missingColumn" | "extraColumn" | "undecodableByte",
  number
>;
export function transactions(seed?: number): Buffer;
export function transactionsOctober(seed?: number): Buffer;
export function corrections(seed?: number): Buffer;
export const FILES: Record<"transactions.csv" | "transactions-2026-10.csv" | "corrections.csv", () => Buffer>;
