// Writes the file of the benchmarks: 1.5 million transactions, 7 columns, 84 dates, about 109 MB, the same for a seed.
//   node bench/generateTransactions.mjs [file] [rows] [dates]

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { pathToFileURL } from "node:url";

const MERCHANTS = [
  "Café Müller",
  "Corner Store",
  "Mercado Azul",
  "Books & Co",
  "Station Kiosk",
  "Green Grocer",
  "Nordlys AS",
];
const CURRENCIES = ["EUR", "USD", "GBP", "BRL", "CHF"];
const STATUSES = ["settled", "pending", "refunded", "declined"];
const FIRST_DAY = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

/** 32-bit xorshift: small, fast, and the same everywhere. */
function generator(seed) {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

/** Yields the text in pieces of about 1 MB. */
export function* transactions({ rows = 1_500_000, dates = 84, seed = 20261123 } = {}) {
  const random = generator(seed);
  const days = Array.from({ length: dates }, (_, i) => new Date(FIRST_DAY + i * DAY_MS).toISOString().slice(0, 10));
  let piece = "transaction_id,transaction_date,customer_id,merchant,amount,currency,status\n";
  for (let i = 1; i <= rows; i++) {
    const id = String(i).padStart(12, "0");
    const customer = `C-${String(random(400_000)).padStart(8, "0")}`;
    const amount = `${random(99_999)}.${String(random(100)).padStart(2, "0")}`;
    const merchant = `${MERCHANTS[random(MERCHANTS.length)]} ${random(900) + 100}`;
    piece += `${id},${days[random(dates)]},${customer},${merchant},${amount},${CURRENCIES[random(CURRENCIES.length)]},${STATUSES[random(STATUSES.length)]}\n`;
    if (piece.length > 1_000_000) {
      yield piece;
      piece = "";
    }
  }
  if (piece) yield piece;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [file = "transactions-109mb.csv", rows, dates] = process.argv.slice(2);
  const out = createWriteStream(file);
  for (const piece of transactions({
    rows: rows ? Number(rows) : undefined,
    dates: dates ? Number(dates) : undefined,
  })) {
    if (!out.write(piece)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
  process.stderr.write(`${file}: ${out.bytesWritten} bytes\n`);
}
