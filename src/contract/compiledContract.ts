/**
 * A data contract, compiled: pure data in `lake.json`, made once by `up` from an ODCS document (odcs/compile.ts), applied
 * by the stage `validate`, and by `verify` with code of its own. What it says here is what both must do.
 *
 * Cells. A cell is the text of a field, without its quotes. Empty text is null, for every type, quoted or not.
 *
 * Columns. A file's column belongs to the contract's column of exactly that name; the order in the file does not matter.
 *   - a contract column that the file has twice           -> file refused, `duplicate-column`
 *   - a required column that the file does not have       -> file refused, `missing-column`
 *   - another column that the file does not have          -> added, all null
 *   - a column that the contract does not have            -> `unknownColumns`; refuse: file refused, `unknown-column`
 * A trusted object has the contract's columns in the contract's order, then the kept unknown ones in the file's order.
 *
 * Rows. What the reader rejects (row-too-long … ragged-row) comes first. Then columns in the contract's order, and of each
 * column: `required`, `type`, then its `checks` in their order. `checks` do not look at null. The first check of severity
 * "error" that fails rejects the row: one record with that column and rule. The warnings of a row that is accepted are
 * counted, each rule of each column once a row. A row that an error would reject is `repeated-header` when it is the
 * header again, and begins a `second-table` as in curate.
 *
 * Gates. Looked at when every row has been read, over the accepted rows alone. One of severity "error" that fails refuses
 * the file as a whole with the gate's rule, and its columns joined by "," as the column; the first in order counts.
 *
 * Conformed cells. Text is kept exactly, but: a date, time or timestamp with a `format` becomes ISO 8601
 * (YYYY-MM-DD, HH:MM:SS, YYYY-MM-DDTHH:MM:SS, a fraction when there is one, without trailing zeros; the offset as ±HH:MM or Z; a
 * timestamp without an offset whose column has a `defaultTimezone` gets that zone's offset at that time, the earlier
 * one where a clock is turned back; a local time that the zone skips is rejected by `type`);
 * a number of a column with separators loses its group separators and gets ".".
 */
export interface CompiledContract {
  /** `id` and `version` of the document. */
  id: string;
  version: string;
  /** Name of the schema object that it is about. */
  schema: string;
  /** In the order of the document. */
  columns: ContractColumn[];
  /** Columns that the contract does not have. @default "keep" */
  unknownColumns: "keep" | "drop" | "refuse";
  gates: ContractGate[];
}

export type Severity = "error" | "warning";

export interface ContractColumn {
  /** As it stands in the header: physicalName, else name. */
  name: string;
  type: ColumnType;
  /** Null is a breach of rule `required` with this severity. A column of the primary key is required. */
  required: Severity | null;
  checks: ColumnCheck[];
}

/**
 * The rule `type` fails on a cell that is not of the type. It is always an error.
 *
 * string     any text
 * boolean    true, false in any case of letters, 1, 0
 * integer    an optional sign and digits, within `bits`
 * number     an optional sign, digits with at most one decimal separator, an optional exponent; no NaN, no infinity. With
 *            `decimal`: no exponent, at most precision - scale digits before the point and scale behind it, zeros at
 *            either end not counted
 * date       YYYY-MM-DD of the proleptic Gregorian calendar, years 0001-9999; or `format`
 * time       HH:MM, HH:MM:SS, a fraction of up to 9 digits; or `format`
 * timestamp  date, "T", "t" or a space, time, and an offset (Z, z, ±HH:MM, ±HHMM, ±HH) or none; or `format`. `zone` "required": an
 *            offset must be there; "forbidden": none may; "optional": either. Seconds up to 59, no 24:00
 */
export type ColumnType =
  | { name: "string" }
  | { name: "boolean" }
  | { name: "integer"; bits: IntegerBits; groupSeparators?: GroupSeparator[] }
  | {
      name: "number";
      /** Given by physicalType decimal(p,s) or numeric(p,s). */
      decimal?: { precision: number; scale: number };
      /** Single or double, for typed outputs. @default 64 */
      bits: 32 | 64;
      decimalSeparator?: "." | ",";
      groupSeparators?: GroupSeparator[];
    }
  | { name: "date"; format?: string }
  | { name: "time"; format?: string }
  | {
      name: "timestamp";
      format?: string;
      zone: "required" | "forbidden" | "optional";
      /** IANA name: where a timestamp without an offset is, when the contract says so. */
      defaultTimezone?: string;
    };

/** `format` of an integer, as in ODCS; without one 64 signed bits. */
export type IntegerBits = "i8" | "i16" | "i32" | "i64" | "i128" | "u8" | "u16" | "u32" | "u64" | "u128";

/** Between groups of exactly three digits, the first of one to three. One kind per cell. */
export type GroupSeparator = "," | "." | " " | "'" | "_" | "\u00a0" | "\u202f";

export type ColumnCheck =
  /** Compared exactly, as decimals, dates, times or instants (local time where there is no offset); `value` is the canonical text. */
  | {
      rule: "minimum" | "maximum" | "exclusive-minimum" | "exclusive-maximum";
      value: string;
      severity: Severity;
    }
  /** The cell is an integral multiple of `value`, exactly. */
  | { rule: "multiple-of"; value: string; severity: Severity }
  /** In Unicode code points. */
  | { rule: "min-length" | "max-length"; value: number; severity: Severity }
  /** An ECMAScript regular expression with flag "u" that must be found somewhere in the cell. */
  | { rule: "pattern"; value: string; severity: Severity }
  | { rule: "format"; value: StringFormat; severity: Severity }
  /** The cell, as it is in the file, must be one of these. */
  | { rule: "valid-values"; values: string[]; severity: Severity }
  /** The cell, as it is in the file, must be none of these. */
  | { rule: "missing-values"; values: string[]; severity: Severity };

/** `format` of a string that is enforced: see stringFormats.ts for what each one is. */
export type StringFormat = "email" | "uuid" | "uri" | "hostname" | "ipv4" | "ipv6";

export interface ContractGate {
  /**
   * unique, primary-key, duplicate-values   rows whose cells in `columns` an earlier accepted row has as well; rows with a
   *                                         null among them do not count
   * null-values                             rows with a null in the column
   * missing-values, invalid-values          rows whose cell is one of `values`; is not null and none of `values`, or lacks `pattern`
   * row-count                               accepted rows
   */
  rule:
    | "unique"
    | "primary-key"
    | "duplicate-values"
    | "null-values"
    | "missing-values"
    | "invalid-values"
    | "row-count";
  /** Empty for row-count. */
  columns: string[];
  values?: string[];
  pattern?: string;
  /** Percent of the accepted rows, of which there are 0 percent when there are none. */
  unit: "rows" | "percent";
  /** The measured number must be …; between includes its bounds. */
  operator:
    | "mustBe"
    | "mustNotBe"
    | "mustBeGreaterThan"
    | "mustBeGreaterOrEqualTo"
    | "mustBeLessThan"
    | "mustBeLessOrEqualTo"
    | "mustBeBetween"
    | "mustNotBeBetween";
  /** Two for between, else one. */
  bounds: number[];
  severity: Severity;
}

/** Every rule of the contract that a quarantine record, a receipt or a warning may name. */
export type ContractRule =
  | "required"
  | "type"
  | ColumnCheck["rule"]
  | ContractGate["rule"]
  | "missing-column"
  | "duplicate-column"
  | "unknown-column";
