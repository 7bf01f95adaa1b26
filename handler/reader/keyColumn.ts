import { nameList } from "../nameList.ts";
import { type DayReader, NO_DAY } from "../partition.ts";
import type { Encoding } from "./encoding.ts";
import { FileRefused, type Layout, type ReadingPlan } from "./layout.ts";
import { isWhole, SAMPLED_ROWS, type SampleRow, sampleRows } from "./sampleRows.ts";

/**
 * Decides on the partition column of a layout that has none yet, when the first good row comes late.
 *
 * sample    starts with a row of the header's width
 * Throws    FileRefused
 */
export function detectKeyColumn(
  sample: Buffer,
  complete: boolean,
  encoding: Encoding,
  layout: Layout,
  plan: ReadingPlan,
  days: DayReader,
): { keyColumn: number; keyWhy: string } {
  const rows = sampleRows(sample, 0, complete, layout, encoding, SAMPLED_ROWS, sample.length);
  const body = rows.filter((row) => isWhole(row, layout));
  return chooseKeyColumn(layout.columns, body, plan, days);
}

/** Throws FileRefused when no column, or several, could be meant. */
export function chooseKeyColumn(
  columns: string[],
  body: SampleRow[],
  { partition, dialect }: ReadingPlan,
  days: DayReader,
): { keyColumn: number; keyWhy: string } {
  const choice = keyColumnAmong(columns, body, partition?.column, days);
  const keyName = columns[choice.keyColumn];
  if (dialect.columns === undefined && keyName !== undefined && isDay(keyName, days)) {
    throw new FileRefused(
      "no-header",
      `the file has no header: its first line holds a date ("${keyName}") like the lines below it; add a line with the names of the columns, or write them into minilake.yaml: dialect: { columns: [ … ] }`,
    );
  }
  return choice;
}

function keyColumnAmong(
  columns: string[],
  body: SampleRow[],
  configured: string | undefined,
  days: DayReader,
): { keyColumn: number; keyWhy: string } {
  if (configured !== undefined) {
    const keyColumn = columns.indexOf(configured);
    if (keyColumn < 0) {
      throw new FileRefused(
        "no-partition-column",
        `the file has no column "${configured}", by which the lake is partitioned; its columns are ${nameList(columns)}. Mend the header, or name another column in minilake.yaml: partition: { column: … }`,
        configured,
      );
    }
    if (columns.indexOf(configured, keyColumn + 1) >= 0) {
      throw new FileRefused(
        "no-partition-column",
        `the file has several columns "${configured}", by which the lake is partitioned; rename all but one of them`,
        configured,
      );
    }
    return { keyColumn, keyWhy: `column ${configured}: named in the configuration` };
  }
  if (body.length === 0) return { keyColumn: -1, keyWhy: "no sampled row has as many fields as the header" };
  const candidates: { index: number; share: number }[] = [];
  for (let index = 0; index < columns.length; index++) {
    let dates = 0;
    for (const row of body) if (isDay(row.fields[index]!, days)) dates++;
    if (dates > 0 && dates * 2 >= body.length) candidates.push({ index, share: dates / body.length });
  }
  if (candidates.length === 1) {
    const { index, share } = candidates[0]!;
    const name = columns[index]!;
    return {
      keyColumn: index,
      keyWhy: `column ${name === "" ? index + 1 : name}: the only one with ISO dates, in ${Math.round(share * 100)} % of ${body.length} sampled rows`,
    };
  }
  if (candidates.length === 0) {
    throw new FileRefused(
      "no-partition-column",
      `no column holds ISO dates (YYYY-MM-DD) in at least half of ${body.length} sampled rows; the columns are ${nameList(columns)}. If one of them is the date, write into minilake.yaml: partition: { column: ${yamlName(columns.find((name) => isUsable(name, columns)) ?? "name")} }`,
    );
  }
  const names = candidates.map(({ index }) => columns[index]!);
  const advice = [...new Set(names)].filter((name) => !isUsable(name, columns)).map((name) => mending(name, columns));
  const choices = names.filter((name) => isUsable(name, columns));
  // Once they are told apart, the doubled ones are several columns of dates all the same.
  if (choices.length === 0) choices.push(...new Set(names.filter((name) => name !== "")));
  if (choices.length > 0) {
    const pins = choices.slice(0, 3).map((name) => `partition: { column: ${yamlName(name)} }`);
    advice.push(`Choose one by writing into minilake.yaml: ${pins.join(" or ")}`);
  }
  throw new FileRefused(
    "no-partition-column",
    `${names.length} columns hold ISO dates: ${nameList(names)}. ${advice.join(". ")}`,
  );
}

/** A name by which the configuration can mean one column. */
function isUsable(name: string, columns: string[]): boolean {
  return name !== "" && columns.indexOf(name) === columns.lastIndexOf(name);
}

function mending(name: string, columns: string[]): string {
  if (name === "") return "The header has a column of dates without a name; name it";
  const count = columns.filter((other) => other === name).length;
  const often = count === 2 ? "twice" : `${count} times`;
  return `The header has the name ${nameList([name])} ${often}; rename all but one of them`;
}

/** True for a date or timestamp that has a day. */
export function isDay(text: string, days: DayReader): boolean {
  if (text.length < 10 || text.length > 60) return false;
  const bytes = Buffer.from(text, "utf8");
  return days.read(bytes, 0, bytes.length) !== NO_DAY;
}

function yamlName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(name)
    ? name
    : JSON.stringify(name);
}
