import { parse } from "csv-parse/sync";

export interface CurrencyLine {
  currency: string;
  rows: number;
  /** Rows by status. */
  byStatus: Record<string, number>;
  /** Sum of the settled rows in hundredths of the currency. */
  settledCents: number;
}

export const STATUSES = ["settled", "pending", "declined", "refunded"];

/**
 * Rows of the demo's own three files, grouped by currency; the most frequent first.
 *
 * objects   curated objects as text, each with a header that has currency, status and amount ("12.50" or "12,50")
 */
export function summariseTransactions(objects: string[]): CurrencyLine[] {
  const lines = new Map<string, CurrencyLine>();
  for (const text of objects) {
    for (const row of parse(text, { columns: true }) as Record<string, string>[]) {
      const { currency = "", status = "", amount = "" } = row;
      let line = lines.get(currency);
      if (!line) {
        line = { currency, rows: 0, byStatus: {}, settledCents: 0 };
        lines.set(currency, line);
      }
      line.rows++;
      line.byStatus[status] = (line.byStatus[status] ?? 0) + 1;
      if (status === "settled") line.settledCents += cents(amount);
    }
  }
  return [...lines.values()].sort((a, b) => b.rows - a.rows || (a.currency < b.currency ? -1 : 1));
}

/** "1204.5", "1204,50" or "-3" in hundredths; whole numbers, so that sums are exact. */
function cents(amount: string): number {
  const match = /^(-?)(\d+)(?:[.,](\d{1,2}))?$/.exec(amount);
  if (!match) throw new Error(`An amount of the demo's own files cannot be read: ${amount}`);
  const value = Number(match[2]) * 100 + Number((match[3] ?? "").padEnd(2, "0"));
  return match[1] ? -value : value;
}
