import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DuckDb, openDuckDb } from "../../../src/duckdb.ts";
import { neededPartitions } from "../../../src/query/partitionFilter.ts";
import { parseStatement } from "../../../src/query/statement.ts";

const PARTITIONS = ["2026-06-30", "2026-07-01", "2026-07-02", "2026-08-01", "2027-01-01"];
let database: DuckDb;

beforeAll(async () => {
  database = await openDuckDb({ threads: 1 });
  const rows = PARTITIONS.flatMap((day, at) => [`(DATE '${day}', ${at}, 'a')`, `(DATE '${day}', ${at * 10}, 'b')`]);
  await database.connection.run(
    `CREATE TABLE every AS SELECT * FROM (VALUES ${rows.join(", ")}) AS t(dt_reference, amount, status)`,
  );
  await database.connection.run("CREATE TABLE names AS SELECT * FROM (VALUES ('a', 1), ('c', 2)) AS t(status, rank)");
});
afterAll(() => database.close());

async function needed(sql: string): Promise<string[] | "all"> {
  const statement = await parseStatement(database.connection, sql);
  const found = await neededPartitions(database.connection, statement, "curated", "dt_reference", PARTITIONS);
  return found === undefined ? "all" : [...found].sort();
}

describe("partitions that a statement needs", () => {
  test.each([
    ["select * from curated where dt_reference = '2026-07-01'", ["2026-07-01"]],
    [
      "select * from curated c where c.dt_reference >= '2026-07-02' and amount > 3",
      ["2026-07-02", "2026-08-01", "2027-01-01"],
    ],
    ["from curated where year(dt_reference) = 2026 and month(dt_reference) = 7", ["2026-07-01", "2026-07-02"]],
    ["select 1 from curated where dt_reference in ('2026-08-01', '1999-01-01')", ["2026-08-01"]],
    ["select 1 from curated where dt_reference = '1999-01-01'", []],
    ["select * from names join curated c using (status) where c.dt_reference = '2026-07-01'", ["2026-07-01"]],
    [
      "with a as (from curated where dt_reference = '2026-07-01') from a union all from curated where dt_reference = '2027-01-01'",
      ["2026-07-01", "2027-01-01"],
    ],
    ["select * from names", []],
    ["select * from curated", "all"],
    ["select * from curated where dt_reference = '2026-07-01' or amount > 3", "all"],
    ["select * from curated where dt_reference = (select max(dt_reference) from curated)", "all"],
    ["select * from names left join curated c using (status) where c.dt_reference is null", "all"],
    ["select * from curated where random() < 0.5 and nonsense(dt_reference)", "all"],
  ])("%s", async (sql, expected) => {
    expect(await needed(sql)).toEqual(expected);
  });

  test("a statement over what it needs answers as over everything", async () => {
    const day = fc.constantFrom(...PARTITIONS, "2026-07-15").map((value) => `'${value}'`);
    const atom = fc.oneof(
      fc
        .tuple(fc.constantFrom("=", "<", "<=", ">", ">=", "<>"), day)
        .map(([is, value]) => `dt_reference ${is} ${value}`),
      fc.tuple(day, day).map(([from, to]) => `dt_reference between ${from} and ${to}`),
      fc.integer({ min: 0, max: 40 }).map((value) => `amount < ${value}`),
      fc.constantFrom("status = 'a'", "month(dt_reference) = 7", "dt_reference is not null", "amount % 2 = 0"),
    );
    const condition = fc.letrec<{ all: string }>((tie) => ({
      all: fc.oneof(
        { maxDepth: 3 },
        atom,
        fc.tuple(tie("all"), fc.constantFrom("and", "or"), tie("all")).map(([a, by, b]) => `(${a}) ${by} (${b})`),
        tie("all").map((each) => `not (${each})`),
      ),
    })).all;
    const query = fc.tuple(
      condition,
      fc.constantFrom("", "join names using (status)", "left join names using (status)"),
    );
    await fc.assert(
      fc.asyncProperty(query, async ([where, join]) => {
        const sql = `select curated.*, * from curated ${join} where ${where.replaceAll("dt_reference", "curated.dt_reference")} order by all`;
        const partitions = await needed(sql);
        const run = async (from: string) => {
          await database.connection.run(`CREATE OR REPLACE TEMP VIEW curated AS ${from}`);
          return (await database.connection.runAndReadAll(sql)).getRows().map(String);
        };
        const all = await run("FROM every");
        const list = partitions === "all" ? PARTITIONS : partitions;
        const some = list.length === 0 ? "WHERE false" : `WHERE dt_reference IN (${list.map((each) => `'${each}'`)})`;
        expect(await run(`FROM every ${some}`)).toEqual(all);
      }),
      { numRuns: 150 },
    );
  });
});

describe("statements that cannot be run", () => {
  test.each([
    ["insert into curated values (1)", "The query is not one that reads."],
    ["select 1; select 2", "The query has 2 statements."],
    [
      "select *\nfrom curated were x = 1",
      expect.stringMatching(/^The query cannot be read: syntax error at or near "\S+", at line 2, column \d+\.$/),
    ],
  ])("%s", async (sql, message) => {
    await expect(parseStatement(database.connection, sql)).rejects.toMatchObject({ code: "Usage", message });
  });
});
