import type { DuckDBConnection } from "@duckdb/node-api";
import { MinilakeError } from "../errors.ts";

/** A node of DuckDB's own parse tree, as `json_serialize_sql` gives it. */
export interface SqlNode {
  [member: string]: unknown;
}

export interface Statement {
  /** The whole tree: `{ error: false, statements: [one] }`. */
  tree: SqlNode;
  /** Every table that it names, lower case; names of its own WITH are among them. */
  tables: Set<string>;
}

/** DuckDB's "nowhere", which is larger than a number of JSON can be. */
const NOWHERE = /"query_location":18446744073709551615/g;

/**
 * Parses one statement that reads: SELECT, WITH, FROM, DESCRIBE, SHOW, SUMMARIZE, VALUES.
 * Throws MinilakeError Usage with line and column for anything else.
 */
export async function parseStatement(connection: DuckDBConnection, sql: string): Promise<Statement> {
  const tree = await serialise(connection, sql);
  if (tree.error) throw refusal(sql, tree.error_type ?? "", tree.error_message ?? "", Number(tree.position));
  if (tree.statements?.length !== 1) {
    throw new MinilakeError("Usage", `The query has ${tree.statements?.length ?? 0} statements.`, {
      hint: "Give one statement at a time.",
    });
  }
  const tables = new Set<string>();
  visit(tree, (node) => {
    if (node.type === "BASE_TABLE") tables.add(String(node.table_name).toLowerCase());
  });
  return { tree, tables };
}

export interface SerialisedSql extends SqlNode {
  error: boolean;
  error_message?: string;
  error_type?: string;
  /** Characters before the place of the error. */
  position?: string;
  statements?: SqlNode[];
}

/** DuckDB's parse tree of a text, or its error. */
export async function serialise(connection: DuckDBConnection, sql: string): Promise<SerialisedSql> {
  const answer = await connection.runAndReadAll("SELECT json_serialize_sql($1::VARCHAR)", [sql]);
  return JSON.parse(String(answer.getRows()[0]![0]).replace(NOWHERE, '"query_location":0')) as SerialisedSql;
}

/** Every object of the tree, parents first. */
export function visit(value: unknown, look: (node: SqlNode) => void): void {
  if (Array.isArray(value)) {
    for (const each of value) visit(each, look);
  } else if (typeof value === "object" && value !== null) {
    look(value as SqlNode);
    for (const each of Object.values(value)) visit(each, look);
  }
}

function refusal(sql: string, type: string, message: string, position: number): MinilakeError {
  if (/only select statements/i.test(message)) {
    return new MinilakeError("Usage", "The query is not one that reads.", {
      hint: "SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW and SUMMARIZE can be asked; nothing in the lake is changed by SQL.",
    });
  }
  return new MinilakeError("Usage", `The query cannot be read: ${message || type}${placeIn(sql, position)}.`, {
    hint: "DuckDB's SQL is described on https://duckdb.org/docs/stable/sql/introduction",
  });
}

function placeIn(sql: string, position: number): string {
  if (!Number.isInteger(position) || position < 0) return "";
  const before = sql.slice(0, position).split("\n");
  return `, at line ${before.length}, column ${before.at(-1)!.length + 1}`;
}
