import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import {
  type InferOptions,
  inferContract,
  partitionCandidates,
  profileFile,
} from "../../../src/contract/odcs/infer.ts";
import { writeTemporary } from "./csvFile.ts";
import { missing, publishedSchema } from "./publishedSchema.ts";

async function infer(
  content: string | Uint8Array,
  options: Partial<InferOptions> & { header?: boolean } = {},
  name = "t.csv",
) {
  const { header, ...rest } = options;
  const profile = await profileFile(writeTemporary(name, content), header === undefined ? {} : { header });
  return { profile, ...inferContract(profile, { id: "t", ...rest }) };
}

/** What is guessed of one column whose cells are these, in a file of that many rows beside a column of text. */
async function guess(cells: string[], name = "c", options: Partial<InferOptions> = {}) {
  const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
  const lines = [`x,${name}`, ...cells.map((cell, index) => `row${index},${quoted(cell)}`)];
  const { columns } = await infer(`${lines.join("\n")}\n`, options);
  const { type, options: typeOptions, physicalType, separators, required, values, isAmbiguous, why } = columns[1]!;
  return {
    type,
    ...Object.fromEntries(typeOptions),
    ...(physicalType && { physicalType }),
    ...Object.fromEntries(separators),
    ...(values && { values }),
    ...(!required && { required }),
    ...(isAmbiguous && { isAmbiguous }),
    ...(why.length > 0 && { why: why.join(". ") }),
  };
}

const times = (count: number, ...cells: string[]) =>
  Array.from({ length: count }, (_, index) => cells[index % cells.length]!);

describe("types", () => {
  test("numbers", async () => {
    expect(await guess(["1", "-20", "300"])).toEqual({ type: "integer" });
    expect(await guess(["1", "18446744073709551615"])).toEqual({ type: "integer", format: "u64" });
    expect(await guess(["-1", "18446744073709551615"])).toEqual({ type: "integer", format: "i128" });
    expect(await guess(["1.5", "20", "-300.25"])).toMatchObject({ type: "number", physicalType: "decimal(18,2)" });
    expect(await guess(["1234567890123456789.5"])).toMatchObject({ type: "number", physicalType: "decimal(38,1)" });
    expect(await guess(["1.5e3", "2"])).toEqual({ type: "number" });
  });

  test("numbers as other countries write them", async () => {
    expect(await guess(["1,5", "20", "3,25"])).toMatchObject({ type: "number", minilakeDecimalSeparator: "," });
    expect(await guess(["1,234.50", "20", "3.25"])).toMatchObject({ type: "number", minilakeGroupSeparators: [","] });
    expect(await guess(["1.234,50", "20", "3,25"])).toMatchObject({
      type: "number",
      minilakeDecimalSeparator: ",",
      minilakeGroupSeparators: ["."],
    });
    expect(await guess(["1 234,5", "12"])).toMatchObject({
      minilakeDecimalSeparator: ",",
      minilakeGroupSeparators: [" "],
    });
    expect(await guess(["1'234.5", "12"])).toMatchObject({ minilakeGroupSeparators: ["'"] });
    expect(await guess(["1,234,567", "12"])).toEqual({ type: "integer", minilakeGroupSeparators: [","] });
  });

  test("what is not clear stays text, or says so", async () => {
    expect(await guess(["1,234", "12"])).toEqual({
      type: "string",
      why: 'text, because nothing shows whether a decimal comma or a "," between thousands is meant: every separator has three digits behind it',
    });
    expect(await guess(["1.234", "2.500"])).toMatchObject({
      type: "number",
      why: expect.stringContaining("check that it is no thousands separator"),
    });
    expect(await guess(["00012", "12345"])).toEqual({
      type: "string",
      why: 'text, because a number loses what stands in front of its digits, as in "00012" in line 2',
    });
    expect(await guess(["+351912345678", "+351912345679"])).toMatchObject({ type: "string" });
    expect(await guess(["0", "0.5", "-0.25"])).toMatchObject({ type: "number" });
    expect(await guess([...times(199, "1", "22"), "n/a"])).toEqual({
      type: "string",
      why: 'text, because 1 of 200 rows are no number, first "n/a" in line 201; the others are',
    });
    expect(await guess(["1e5x", "2"])).toEqual({ type: "string" });
    expect(await guess(["", ""])).toEqual({
      type: "string",
      required: false,
      why: "always empty in 2 rows, so nothing is known of it",
    });
  });

  test("booleans are words; 0 and 1 are numbers", async () => {
    expect(await guess(["true", "False"])).toEqual({ type: "boolean" });
    expect(await guess(["0", "1"])).toEqual({ type: "integer" });
    expect(await guess(["yes", "no"])).toEqual({ type: "string" });
  });

  test("dates: the values decide between day and month", async () => {
    expect(await guess(["2024-02-29", "2023-01-01"])).toEqual({ type: "date" });
    expect(await guess(["25/12/2024", "01/02/2024"])).toMatchObject({ type: "date", format: "dd/MM/yyyy" });
    expect(await guess(["12/25/2024", "01/02/2024"])).toMatchObject({ type: "date", format: "MM/dd/yyyy" });
    expect(await guess(["5/1/2024", "25/12/2024"])).toMatchObject({ format: "d/M/yyyy" });
    expect(await guess(["25.12.24", "01.02.24"])).toMatchObject({ format: "dd.MM.yy" });
    expect(await guess(["Dec 25, 2024", "Jan 1, 2024"])).toEqual({ type: "date", format: "MMM d, yyyy" });
    expect(await guess(["25-DEC-2024", "01-Jan-2024"])).toEqual({ type: "date", format: "dd-MMM-yyyy" });
    expect(await guess(["2024-02-29", "2023-02-29"])).toEqual({ type: "string" });
  });

  test("dates that can be read either way are marked, and a person decides", async () => {
    const cells = ["01/02/2024", "03/04/2024"];
    const ambiguous = await guess(cells);
    expect(ambiguous).toMatchObject({ type: "date", format: "dd/MM/yyyy", isAmbiguous: true });
    expect(ambiguous.why).toBe(
      "CHECK THIS: day before month or month before day? Both fit all 2 rows; if it is the other, write format: MM/dd/yyyy",
    );
    expect(await guess(cells, "c", { dateOrder: "month-first" })).toEqual({
      type: "date",
      format: "MM/dd/yyyy",
      why: "month before day, as was said: no value of the 2 rows shows it",
    });
    // What the values show is not overruled.
    expect(await guess(["25/12/2024"], "c", { dateOrder: "month-first" })).toMatchObject({ format: "dd/MM/yyyy" });
  });

  test("eight digits are a date where the name says so", async () => {
    expect(await guess(["20241225", "20240101"], "booking_date")).toMatchObject({ type: "date", format: "yyyyMMdd" });
    expect(await guess(["20241225", "20240101"], "amount")).toEqual({ type: "integer" });
    expect(await guess(["20241225", "99999999"], "booking_date")).toEqual({ type: "integer" });
  });

  test("timestamps, with and without a zone", async () => {
    expect(await guess(["2024-02-29T10:00:00Z", "2024-02-29 10:00+02:00"])).toEqual({
      type: "timestamp",
      timezone: true,
    });
    expect(await guess(["2024-02-29 10:00:00", "2024-02-29T10:00:00.123"])).toMatchObject({
      type: "timestamp",
      timezone: false,
    });
    const mixed = await guess(["2024-02-29 10:00:00", "2024-02-29T10:00:00Z"]);
    expect(mixed.type).toBe("timestamp");
    expect(mixed).not.toHaveProperty("timezone");
    expect(await guess(["25/12/2024 13:30", "01/02/2024 00:00"])).toMatchObject({
      type: "timestamp",
      format: "dd/MM/yyyy HH:mm",
    });
    expect(await guess(["12/25/2024 1:30 PM", "1/2/2024 12:00 am"])).toMatchObject({ format: "M/d/yyyy h:mm a" });
    expect(await guess(["10:00", "23:59"])).toEqual({ type: "time" });
  });

  test("a few bad dates among many are mistakes in the file, and said to be", async () => {
    const found = await guess([...times(198, "2024-01-01", "2024-01-02"), "2024-02-30", "?"]);
    expect(found).toEqual({
      type: "date",
      why: '2 of 200 rows are no date like the others, first "2024-02-30" in line 200: they go to quarantine',
    });
    // Among few nobody can tell.
    expect(await guess([...times(20, "2024-01-01"), "?"])).toEqual({ type: "string" });
  });

  test("formats of text, and enumerations", async () => {
    const emails = Array.from({ length: 12 }, (_, index) => `a${index}@example.com`);
    expect(await guess(emails)).toEqual({ type: "string", format: "email" });
    expect(await guess(times(12, "https://example.com/a?b"))).toMatchObject({ format: "uri" });
    expect(await guess(times(12, "note: x"))).toEqual({ type: "string" });
    expect(await guess(times(120, "b", "a", "no"))).toEqual({
      type: "string",
      values: ["a", "b", "no"],
      why: "just these 3 values in 120 rows",
    });
    expect(await guess(times(90, "b", "a"))).toEqual({ type: "string" });
    expect(await guess([...times(120, "b", "a"), "rare"])).toEqual({ type: "string" });
  });
});

describe("files", () => {
  test("other delimiters, quotes, encodings, preambles: what differs from the plain is pinned", async () => {
    const dialect = async (content: string | Uint8Array) => (await infer(content)).loaded.dialect;
    const rows = "id,day\n1,2024-01-01\n2,2024-01-02\n3,2024-01-03\n";
    expect(await dialect(rows)).toEqual({});
    expect(await dialect(`\ufeff${rows}`)).toEqual({});
    expect(await dialect(rows.replaceAll(",", ";"))).toEqual({ delimiter: ";" });
    expect(await dialect(rows.replaceAll(",", "\t").replaceAll("\n", "\r\n"))).toEqual({ delimiter: "\t" });
    expect(await dialect(Buffer.from(`\ufeff${rows}`, "utf16le"))).toEqual({ encoding: "utf-16le" });
    expect(await dialect(Buffer.from(rows.replaceAll("1,", "Zoë,"), "latin1"))).toEqual({ encoding: "windows-1252" });
    expect(await dialect(`Report of May\nmade by us\n\n${rows}`)).toEqual({ skipLines: 3 });
    expect(await dialect("'id','day'\n'1','2024-01-01'\n'2','2024-01-02'\n")).toEqual({ quote: "'" });
    expect(await dialect("1,2024-01-01\n2,2024-01-02\n3,2024-01-03\n")).toEqual({ columns: ["column_1", "column_2"] });
  });

  test("gzip, and quotes after backslashes", async () => {
    const { profile, loaded } = await infer(gzipSync('id,note\n1,"a \\"b\\", c"\n2,"x, y"\n'), {}, "t.csv.gz");
    expect(profile.rows).toBe(2);
    expect(loaded.contract.columns.map(({ name }) => name)).toEqual(["id", "note"]);
  });

  test("headers: words, numbers that are none, and what the user says", async () => {
    const columns = async (content: string, header?: boolean) =>
      (await infer(content, header === undefined ? {} : { header })).columns.map(({ name }) => name);
    expect(await columns("a,b\nx,y\nz,w\n")).toEqual(["a", "b"]);
    expect(await columns("a,b\nx,y\nz,w\n", false)).toEqual(["column_1", "column_2"]);
    expect(await columns("name,2023\nx,1\ny,2\n", true)).toEqual(["name", "2023"]);
  });

  test("rows that cannot be read, columns without a name of their own", async () => {
    const content = Buffer.concat([
      Buffer.from("id,a,a,,day\n"),
      ...times(30, "1,é,3,4,2024-01-01\n").map((line) => Buffer.from(line)),
      Buffer.from("1,2\n"),
      Buffer.from("1,\xff,3,4,2024-01-01\n", "latin1"),
    ]);
    const { profile, columns, text } = await infer(content);
    expect(profile).toMatchObject({
      rows: 30,
      ragged: { count: 1, firstLine: 32 },
      undecodable: { count: 1, firstLine: 33 },
    });
    expect(columns.map(({ name }) => name)).toEqual(["id", "day"]);
    expect(text).toContain('left out, as no rule can speak of them: "a", no name.');
  });

  test("what is no CSV is said to be what it is", async () => {
    const message = async (content: string | Uint8Array) =>
      infer(content).catch((error: Error) => error.message.replace(/^.*csv /, ""));
    expect(await message("")).toBe("is empty.");
    expect(await message("a,b\n")).toBe("has a header and no rows.");
    expect(await message("\n\n")).toBe("has no rows.");
    expect(await message("PAR1xxxx")).toBe("is a Parquet file, not CSV.");
    expect(await message('[{"a":1}]')).toBe("is JSON, not CSV.");
    expect(await message(Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]))).toBe("is binary, not CSV.");
    expect(await message(gzipSync("a,b\n1,2\n").subarray(0, 20))).toMatch(/cannot be unzipped|is empty|has no rows/);
  });
});

describe("the contract", () => {
  const orders = [
    "id,customer_id,ordered,shipped,total",
    ...Array.from(
      { length: 12 },
      (_, index) => `A${index},C${index},2024-01-${10 + index},2024-02-01 10:00:0${index % 10},${index}.50`,
    ),
  ].join("\n");

  test("keys: the first that looks like one; others are suggested", async () => {
    const { loaded, text } = await infer(orders, { partitionColumn: "ordered" });
    expect(loaded.contract.gates).toEqual([
      { rule: "primary-key", columns: ["id"], unit: "rows", operator: "mustBe", bounds: [0], severity: "error" },
    ]);
    expect(text).toContain("# unique: true # another value in each of 12 rows");
    expect(loaded.partition).toEqual({ column: "ordered" });
  });

  test("the partition: one candidate is taken, of several none without being told", async () => {
    const profile = await profileFile(writeTemporary("orders.csv", orders));
    expect(partitionCandidates(profile)).toEqual(["ordered", "shipped"]);
    expect(inferContract(profile, { id: "o" }).loaded.partition).toBeUndefined();
    expect(inferContract(profile, { id: "o", partitionColumn: "shipped" }).loaded.partition).toEqual({
      column: "shipped",
    });
    expect(() => inferContract(profile, { id: "o", partitionColumn: "total" })).toThrow(
      'has no column "total" of dates',
    );
  });

  test("names that YAML would take for something else, and a file name that would break a comment", async () => {
    const names = ["yes", "12", "#x", "a: b", "-", "null", " a ", 'q"q', "Größe", "it's", "[a]", "tab\there"];
    const cells = names.map(() => "x");
    const csv = [names, cells, cells]
      .map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(","))
      .join("\n");
    const { loaded, text } = await infer(csv, { header: true }, "odd: name.csv");
    expect(loaded.contract.columns.map(({ name }) => name)).toEqual(names);
    if (missing === undefined) expect(publishedSchema()(parse(text))).toBeUndefined();
  });

  test("as a person reads it", async () => {
    const { text } = await infer(
      [
        "code;booked;amount;state",
        ...Array.from(
          { length: 120 },
          (_, index) =>
            `00${100 + index};${1 + (index % 12)}/0${1 + (index % 9)}/2024;1.234,5${index % 10};${index % 2 ? "open" : ""}`,
        ),
      ].join("\r\n"),
    );
    expect(text).toMatchInlineSnapshot(`
      "# A data contract, guessed from the 120 rows of t.csv. It is yours to edit: every keyword is in docs/contract.md.
      # required: true means that the column was never empty in those rows. A row that breaks a rule goes to quarantine;
      # a file that breaks a rule about all of its rows (primaryKey, unique) is refused whole.
      apiVersion: v3.1.0
      kind: DataContract
      id: t
      version: 1.0.0 # raise it when you change the rules
      status: draft

      schema:
        - name: t
          physicalName: t.csv
          physicalType: file
          customProperties:
            - property: minilakeUnknownColumns # keep, drop or refuse: columns that are not below
              value: keep
            - property: minilakeDialect # what is not said here is detected in each file
              value:
                delimiter: ";"

          properties:
            # text, because a number loses what stands in front of its digits, as in "00100" in line 2
            - name: code
              logicalType: string
              required: true

            # CHECK THIS: day before month or month before day? Both fit all 120 rows; if it is the other, write format: M/d/yyyy
            - name: booked
              logicalType: date
              required: true
              partitioned: true # rows are stored by this day
              logicalTypeOptions:
                format: d/M/yyyy

            # never more than 2 digits behind the comma
            - name: amount
              logicalType: number
              physicalType: decimal(18,2)
              required: true
              customProperties:
                - property: minilakeGroupSeparators
                  value: ["."]
                - property: minilakeDecimalSeparator
                  value: ","

            - name: state
              logicalType: string
      "
    `);
  });
});
