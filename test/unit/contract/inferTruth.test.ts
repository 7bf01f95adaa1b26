import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { inferContract, profileFile } from "../../../src/contract/odcs/infer.ts";
import { ContractJudge } from "../../../src/verify/contract/contractJudge.ts";
import { csvText, type Writing } from "./csvFile.ts";
import { missing, publishedSchema } from "./publishedSchema.ts";

const two = (number: number) => String(number).padStart(2, "0");
const day = fc.date({ min: new Date("1950-01-01"), max: new Date("2040-12-31"), noInvalidDate: true });
const dayWith = (write: (year: number, month: number, day: number, date: Date) => string) =>
  day.map((date) => write(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date));
const clock = (date: Date) => `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const grouped = (number: number, group: string, decimal: string, digits: number) => {
  const [whole, fraction] = Math.abs(number).toFixed(digits).split(".");
  const text = whole!.replace(/\B(?=(\d{3})+$)/g, group);
  return (number < 0 ? "-" : "") + text + (fraction === undefined ? "" : decimal + fraction);
};
const amount = fc.double({ min: -5e6, max: 5e6, noNaN: true });
const odd = (...characters: string[]) =>
  fc.array(fc.constantFrom(...characters), { minLength: 1, maxLength: 8 }).map((all) => all.join(""));

/** Cells of one column, never empty. */
const KINDS: Record<string, fc.Arbitrary<string>> = {
  code: fc.nat(99_999).map((number) => String(number).padStart(8, "0")),
  integer: fc.integer().map(String),
  large: fc.bigInt({ min: -(2n ** 130n), max: 2n ** 130n }).map(String),
  unsigned: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
  decimal: fc.tuple(amount, fc.nat(4)).map(([number, digits]) => number.toFixed(digits)),
  exponent: amount.map((number) => number.toExponential()),
  comma: amount.map((number) => number.toFixed(2).replace(".", ",")),
  english: fc.tuple(amount, fc.nat(3)).map(([number, digits]) => grouped(number, ",", ".", digits)),
  german: fc.tuple(amount, fc.nat(3)).map(([number, digits]) => grouped(number, ".", ",", digits)),
  french: fc.tuple(amount, fc.nat(3)).map(([number, digits]) => grouped(number, "\u202f", ",", digits)),
  date: dayWith((y, m, d) => `${y}-${two(m)}-${two(d)}`),
  compact_date: dayWith((y, m, d) => `${y}${two(m)}${two(d)}`),
  dayFirst: dayWith((y, m, d) => `${two(d)}/${two(m)}/${y}`),
  monthFirst: dayWith((y, m, d) => `${m}/${d}/${y}`),
  shortYear: dayWith((y, m, d) => `${two(d)}.${two(m)}.${two(y % 100)}`),
  named: dayWith((y, m, d) => `${months[m - 1]} ${d}, ${y}`),
  timestamp: dayWith((_y, _m, _d, date) => date.toISOString()),
  local: dayWith((y, m, d, date) => `${y}-${two(m)}-${two(d)} ${clock(date)}`),
  someOffset: dayWith(
    (y, m, d, date) => `${y}-${two(m)}-${two(d)}T${clock(date)}${["", "Z", "+02:00", "-0330"][d % 4]}`,
  ),
  american: dayWith((y, m, d, date) => {
    const hour = date.getUTCHours();
    return `${two(m)}/${two(d)}/${y} ${hour % 12 || 12}:${two(date.getUTCMinutes())} ${hour < 12 ? "AM" : "PM"}`;
  }),
  time: dayWith((_y, _m, _d, date) => clock(date)),
  boolean: fc.constantFrom("true", "FALSE", "True", "false"),
  flag: fc.constantFrom("0", "1"),
  status: fc.constantFrom("new", "paid", "lost", "null", "true", "~", "- x", "a: b", "#1"),
  uuid: fc.uuid(),
  email: fc.emailAddress(),
  url: fc.webUrl(),
  // U+FFFD is what undecodable bytes become, and rows that have it are left out.
  text: fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).map((text) => text.replaceAll("\ufffd", "?")),
  // Text that is almost something.
  digits: odd("0", "1", "9", "12"),
  numbers: odd("0", "1", "7", ".", ",", "-", "e", "+", " "),
  dates: odd("1", "2", "31", "2024", "-", "/", ".", ":", "T", "Z", " "),
  letters: odd("t", "true", "a", "A", " ", "é", "💧", "\n", '"', "'", ";", ","),
};

const NAMES = [
  "id",
  "order_id",
  "amount",
  "date",
  "day",
  "note",
  "when",
  "Größe",
  "a b",
  "yes",
  "x: y",
  "#n",
  "customerId",
];

interface Table {
  header: string[];
  rows: string[][];
  writing: Writing & { mark: string };
}

const table: fc.Arbitrary<Table> = fc
  .record({
    names: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 2, maxLength: 6 }),
    count: fc.integer({ min: 3, max: 140 }),
    writing: fc.record({
      delimiter: fc.constantFrom(",", ";", "\t", "|"),
      quote: fc.constant('"'),
      newline: fc.constantFrom("\n", "\r\n"),
      quoteAll: fc.boolean(),
      mark: fc.constantFrom("", "\ufeff"),
    }),
  })
  .chain(({ names, count, writing }) =>
    fc
      .tuple(
        ...names.map(() =>
          fc.tuple(fc.constantFrom(...Object.keys(KINDS)), fc.constantFrom(0, 0, 0.3)).chain(([kind, empty]) =>
            fc.array(
              fc
                .double({ min: 0, max: 1, noNaN: true })
                .chain((chance) => (chance < empty ? fc.constant("") : KINDS[kind]!)),
              { minLength: count, maxLength: count },
            ),
          ),
        ),
      )
      .map((columns) => ({
        header: names,
        rows: Array.from({ length: count }, (_, row) => columns.map((cells) => cells[row]!)),
        writing,
      })),
  );

const bytes = (text: string) => Buffer.from(text).toString("latin1");

test("a contract that was guessed is true of its file: the proof's own reading of it rejects nothing else than announced", {
  timeout: 120_000,
}, async () => {
  const theirs = missing === undefined ? publishedSchema() : undefined;
  const path = join(tmpdir(), `minilake-infer-${process.pid}.csv`);
  const types = new Map<string, number>();
  try {
    await fc.assert(
      fc.asyncProperty(table, async ({ header, rows, writing }) => {
        writeFileSync(path, writing.mark + csvText([header, ...rows], writing));
        const profile = await profileFile(path, { header: true });
        // What it was guessed from is the file as it is.
        expect(profile.dialect.delimiter).toBe(writing.delimiter);
        expect(profile.rows).toBe(rows.length);
        const dates = ["date", "timestamp"];
        const first = inferContract(profile, { id: "t" });
        const partitionColumn = first.columns.find(({ type }) => dates.includes(type))?.name;
        const inferred = inferContract(profile, { id: "t", ...(partitionColumn !== undefined && { partitionColumn }) });
        const judge = new ContractJudge(inferred.loaded.contract, header);
        expect(judge.breaches).toEqual([]);
        const found = new Map<string, number>();
        let accepted = 0;
        for (const row of rows) {
          const verdict = judge.judge(row.map(bytes));
          if ("rule" in verdict) {
            const what = `${verdict.rule} ${verdict.column}`;
            found.set(what, (found.get(what) ?? 0) + 1);
          } else {
            judge.accept(row.map(bytes), verdict.warned, 0, undefined);
            accepted++;
          }
        }
        const announced = new Map(
          inferred.rejected.map(({ column, rule, rows: count }) => [`${rule} ${column}`, count]),
        );
        // A row with several mistakes is rejected by the first.
        for (const [what, count] of found) expect(count, what).toBeLessThanOrEqual(announced.get(what) ?? 0);
        expect(rows.length - accepted > 0).toBe(announced.size > 0);
        expect(judge.finish(accepted).refusal).toBeUndefined();
        judge.discard();
        if (theirs) expect(theirs(parse(inferred.text))).toBeUndefined();
        for (const { type } of inferred.columns) types.set(type, (types.get(type) ?? 0) + 1);
      }),
      { numRuns: Number(process.env.MINILAKE_RUNS ?? 300) },
    );
  } finally {
    rmSync(path, { force: true });
  }
  // Nothing is easier than to be right with text alone.
  for (const type of ["string", "integer", "number", "boolean", "date", "time", "timestamp"]) {
    expect(types.get(type) ?? 0, type).toBeGreaterThan(20);
  }
});
