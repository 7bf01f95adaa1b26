/**
 * Writes the CSV files of this folder. Run it after a change here and commit what it writes:
 *
 *     node sample_data/generate.mjs [FOLDER]
 *
 * The same seed gives the same bytes on every machine: no clock, no locale, no Math.random. FOLDER defaults to this one.
 *
 *   transactions.csv          5,000 rows of 90 days (2026-07-01 to 2026-09-28); comma, "\n", UTF-8; 52 bad rows (see BAD_ROWS)
 *   transactions-2026-10.csv  200 rows of October as another bank sends them: semicolon, "\r\n", byte order mark, decimal comma
 *   corrections.csv           30 rows that arrive later and correct days of transactions.csv
 *
 * `transaction_date` is the one column of ISO dates, so a lake without configuration partitions by it.
 */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const SEED = 20260701;

const COLUMNS = [
  "transaction_id",
  "transaction_date",
  "account",
  "merchant",
  "category",
  "amount",
  "currency",
  "status",
  "note",
];

/** Rows of transactions.csv, by kind, that cannot be placed in a partition as they are. */
export const BAD_ROWS = {
  noDate: 11, // empty transaction_date
  impossibleDate: 9, // 2026-02-30, 2026-13-01, 2026-00-10
  otherFormat: 9, // 14/08/2026, Aug 14 2026
  notADate: 6, // N/A, unknown, ?
  missingColumn: 7, // the note is not there, not even empty
  extraColumn: 6, // a comma too much, such as an amount of "1,204.50" without quotes
  undecodableByte: 4, // a Windows-1252 byte in a UTF-8 file
};

const MERCHANTS = [
  { name: "Padaria São João", category: "groceries", currency: "BRL", low: 4, high: 60 },
  { name: "Mercado Livre", category: "shopping", currency: "BRL", low: 20, high: 900 },
  { name: "Livraria Leitura, Centro", category: "shopping", currency: "BRL", low: 25, high: 300 },
  { name: "Café do Ponto", category: "restaurants", currency: "BRL", low: 8, high: 75 },
  { name: "Metrô Rio", category: "transport", currency: "BRL", low: 6.9, high: 6.9 },
  { name: "Farmácia Popular", category: "health", currency: "BRL", low: 12, high: 240 },
  { name: "Amazon", category: "shopping", currency: "USD", low: 5, high: 650 },
  { name: "Trader Joe's", category: "groceries", currency: "USD", low: 9, high: 180 },
  { name: "Delta Air Lines, Inc.", category: "travel", currency: "USD", low: 120, high: 1450 },
  { name: "Joe's Diner, 5th Ave", category: "restaurants", currency: "USD", low: 11, high: 85 },
  { name: 'The "Blue Door" Bistro', category: "restaurants", currency: "USD", low: 24, high: 160 },
  { name: "Spotify", category: "subscriptions", currency: "USD", low: 11.99, high: 11.99 },
  { name: "Boulangerie Chez Aimée", category: "groceries", currency: "EUR", low: 2, high: 28 },
  { name: "SNCF Connect", category: "travel", currency: "EUR", low: 15, high: 210 },
  { name: "Müller Drogerie", category: "health", currency: "EUR", low: 4, high: 70 },
  { name: "Bäckerei Größl & Söhne", category: "groceries", currency: "EUR", low: 3, high: 25 },
  { name: "Carrefour", category: "groceries", currency: "EUR", low: 8, high: 190 },
  { name: "Netflix", category: "subscriptions", currency: "EUR", low: 13.99, high: 13.99 },
  { name: "Marks & Spencer", category: "shopping", currency: "GBP", low: 6, high: 140 },
  { name: "Transport for London", category: "transport", currency: "GBP", low: 1.75, high: 8.1 },
  { name: "Łódź Coffee Works", category: "restaurants", currency: "PLN", low: 12, high: 64 },
  { name: "鮨 さいとう", category: "restaurants", currency: "JPY", low: 2400, high: 38000 },
  { name: "セブン-イレブン", category: "groceries", currency: "JPY", low: 150, high: 4200 },
];

const NOTES = [
  "contactless",
  "online, card on file",
  "recurring",
  'customer said "not me"',
  "gift, please wrap",
  "split with Zoë",
  "fee waived",
  "Delivered to the neighbour.\nLeft at the door, 2nd floor",
  "PIN verified",
];

/** Numbers in [0, 1) from a 32-bit seed other than 0: Marsaglia's xorshift with the shifts 13, 17, 5. */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
}

const choose = (random, list) => list[Math.floor(random() * list.length)];

/** Day `offset` days after `start` (YYYY-MM-DD), as YYYY-MM-DD. */
function dayAfter(start, offset) {
  return new Date(Date.parse(`${start}T00:00:00Z`) + offset * 86_400_000).toISOString().slice(0, 10);
}

/** Quotes only where RFC 4180 needs them. */
const cell = (text, delimiter) =>
  text.includes(delimiter) || text.includes('"') || text.includes("\n") ? `"${text.replaceAll('"', '""')}"` : text;

/** `serial` becomes an id with leading zeros, which a reader that guesses numbers would destroy. */
function transaction(random, serial, date) {
  const merchant = choose(random, MERCHANTS);
  const amount = merchant.low + (merchant.high - merchant.low) * random() ** 2;
  const draw = random();
  const status = draw < 0.86 ? "settled" : draw < 0.93 ? "pending" : draw < 0.97 ? "declined" : "refunded";
  const cents = merchant.currency === "JPY" ? `${Math.round(amount)}.00` : amount.toFixed(2);
  return [
    String(serial).padStart(8, "0"),
    date,
    `ACC-${String(1 + Math.floor(random() * 140)).padStart(4, "0")}`,
    merchant.name,
    merchant.category,
    status === "refunded" ? `-${cents}` : cents,
    merchant.currency,
    status,
    random() < 0.22 ? choose(random, NOTES) : "",
  ];
}

const csvLine = (cells, delimiter) => cells.map((text) => cell(text, delimiter)).join(delimiter);

/** Which rows are bad, and how: row number -> kind. The undecodable bytes come late in the file, behind any sample. */
function placeBadRows(random, rows) {
  const places = new Map();
  for (const [kind, count] of Object.entries(BAD_ROWS)) {
    const from = kind === "undecodableByte" ? Math.floor(rows * 0.8) : 20;
    for (let placed = 0; placed < count; ) {
      const row = from + Math.floor(random() * (rows - from));
      if (places.has(row)) continue;
      places.set(row, kind);
      placed += 1;
    }
  }
  return places;
}

function badLine(random, kind, cells) {
  const changed = [...cells];
  switch (kind) {
    case "noDate":
      changed[1] = "";
      return Buffer.from(csvLine(changed, ","));
    case "impossibleDate":
      changed[1] = choose(random, ["2026-02-30", "2026-13-01", "2026-00-10", "2026-06-31"]);
      return Buffer.from(csvLine(changed, ","));
    case "otherFormat": {
      const [year, month, day] = cells[1].split("-");
      changed[1] =
        random() < 0.7 ? `${day}/${month}/${year}` : `${choose(random, ["Jul", "Aug", "Sep"])} ${day} ${year}`;
      return Buffer.from(csvLine(changed, ","));
    }
    case "notADate":
      changed[1] = choose(random, ["N/A", "unknown", "?", "yesterday"]);
      return Buffer.from(csvLine(changed, ","));
    case "missingColumn":
      return Buffer.from(csvLine(changed.slice(0, -1), ","));
    case "extraColumn":
      changed[5] = "1,204.50"; // not through csvLine, which would put the quotes
      return Buffer.from(changed.map((text, index) => (index === 5 ? text : cell(text, ","))).join(","));
    case "undecodableByte":
      // As a till on Windows-1252 writes them, in the middle of UTF-8. Latin-1 bytes have the same accents.
      changed[3] = choose(random, ["Café Central", "Müller Markt"]);
      changed[8] = ""; // no character that Latin-1 does not have
      return Buffer.from(csvLine(changed, ","), "latin1");
    default:
      throw new Error(`No such kind of bad row: ${kind}`);
  }
}

/** The cells of transactions.csv before some rows are spoilt; days are in order, as an export gives them. */
function transactionCells(random) {
  const rows = 5_000;
  const days = 90;
  return Array.from({ length: rows }, (_, row) => {
    const day = Math.floor((row * days) / rows);
    // A little late data: one row in forty belongs to one of the three days before.
    const late = random() < 0.025 ? 1 + Math.floor(random() * 3) : 0;
    return transaction(random, 20 + row * 3, dayAfter("2026-07-01", Math.max(0, day - late)));
  });
}

export function transactions(seed = SEED) {
  const random = randomNumbers(seed);
  const rows = transactionCells(random);
  const bad = placeBadRows(random, rows.length);
  const lines = rows.map((cells, row) => {
    const kind = bad.get(row);
    return kind === undefined ? Buffer.from(csvLine(cells, ",")) : badLine(random, kind, cells);
  });
  return Buffer.concat([Buffer.from(csvLine(COLUMNS, ",")), ...lines].flatMap((line) => [line, Buffer.from("\n")]));
}

/** transactions-2026-10.csv: the same columns from a bank with other habits. One day (the 18th) has no rows. */
export function transactionsOctober(seed = SEED + 1) {
  const random = randomNumbers(seed);
  const lines = [COLUMNS.join(";")];
  for (let row = 0; row < 200; row += 1) {
    const day = Math.floor((row * 31) / 200);
    const cells = transaction(random, 90_000 + row, dayAfter("2026-10-01", day === 17 ? 16 : day));
    cells[5] = cells[5].replace(".", ",");
    cells[8] = cells[8].replace("\n", "\r\n");
    lines.push(csvLine(cells, ";"));
  }
  return Buffer.from(`\ufeff${lines.join("\r\n")}\r\n`);
}

/** corrections.csv: other amounts for rows of transactions.csv, on the same days. */
export function corrections(seed = SEED) {
  const originals = transactionCells(randomNumbers(seed));
  const random = randomNumbers(seed + 2);
  const lines = [csvLine(COLUMNS, ",")];
  for (let row = 0; row < 30; row += 1) {
    const original = choose(random, originals);
    const refunded = random() < 0.3;
    const amount = (Math.abs(Number(original[5])) * (0.8 + random() * 0.4)).toFixed(2);
    const cells = [...original];
    cells[0] = String(95_000 + row).padStart(8, "0");
    cells[5] = refunded ? `-${amount}` : amount;
    cells[7] = refunded ? "refunded" : "settled";
    cells[8] = `corrects ${original[0]}`;
    lines.push(csvLine(cells, ","));
  }
  return Buffer.from(`${lines.join("\n")}\n`);
}

/** File name -> its maker. */
export const FILES = {
  "transactions.csv": transactions,
  "transactions-2026-10.csv": transactionsOctober,
  "corrections.csv": corrections,
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? dirname(fileURLToPath(import.meta.url));
  for (const [name, make] of Object.entries(FILES)) {
    const bytes = make();
    writeFileSync(join(folder, name), bytes);
    console.log(`${name}: ${bytes.length} bytes`);
  }
}
