import type { DuckDBConnection } from "@duckdb/node-api";
import { sqlName, sqlText } from "../duckdb.ts";
import { type SqlNode, type Statement, serialise, visit } from "./statement.ts";

/**
 * The partitions of `table` that a statement can need, or undefined when it needs all of them.
 *
 * A reference to the table is narrowed by what the WHERE of its own SELECT demands of the partition column alone, where
 * the table stands by itself or in inner joins: such rows would be dropped anyway. Everything else reads it all.
 *
 * column       the partition column, such as dt_reference
 * partitions   YYYY-MM-DD, all that exist
 */
export async function neededPartitions(
  connection: DuckDBConnection,
  { tree }: Statement,
  table: string,
  column: string,
  partitions: string[],
): Promise<Set<string> | undefined> {
  const demands = new Map<SqlNode, SqlNode[]>();
  const references: SqlNode[] = [];
  visit(tree, (node) => {
    if (node.type === "BASE_TABLE" && isTable(node, table)) references.push(node);
    if (node.type !== "SELECT_NODE" || !node.where_clause) return;
    const sources = innerTables(node.from_table as SqlNode);
    for (const source of sources.filter((each) => isTable(each, table))) {
      const names = new Set([String(source.alias || source.table_name).toLowerCase()]);
      const own = conjuncts(node.where_clause as SqlNode).filter((each) =>
        speaksOnlyOf(each, column, names, sources.length === 1),
      );
      if (own.length > 0) demands.set(source, own);
    }
  });
  if (references.length === 0) return new Set();
  const needed = new Set<string>();
  for (const reference of references) {
    const filters = demands.get(reference);
    const found = filters === undefined ? undefined : await choose(connection, filters, column, partitions);
    if (found === undefined) return undefined;
    for (const partition of found) needed.add(partition);
  }
  return needed;
}

function isTable(node: SqlNode, table: string): boolean {
  return !node.schema_name && String(node.table_name).toLowerCase() === table;
}

/** The tables of a FROM whose rows all have to pass its WHERE; [] when some may come through without. */
function innerTables(from: SqlNode | null): SqlNode[] {
  if (from?.type === "BASE_TABLE") return [from];
  if (from?.type !== "JOIN" || from.join_type !== "INNER") return from ? [from] : [];
  return [...innerTables(from.left as SqlNode), ...innerTables(from.right as SqlNode)];
}

function conjuncts(where: SqlNode): SqlNode[] {
  if (where.type !== "CONJUNCTION_AND") return [where];
  return (where.children as SqlNode[]).flatMap(conjuncts);
}

const CLASSES = new Set([
  "COMPARISON",
  "CONJUNCTION",
  "OPERATOR",
  "BETWEEN",
  "CAST",
  "CONSTANT",
  "COLUMN_REF",
  "FUNCTION",
]);
/** Give another value each time. */
const UNSTEADY = /^(random|uuid|gen_random|nextval|setseed)/i;

function speaksOnlyOf(expression: SqlNode, column: string, tables: Set<string>, alone: boolean): boolean {
  let mentioned = false;
  let other = false;
  visit(expression, (node) => {
    if (typeof node.class !== "string") return;
    if (!CLASSES.has(node.class)) other = true;
    if (node.class === "FUNCTION" && UNSTEADY.test(String(node.function_name))) other = true;
    if (node.class !== "COLUMN_REF") return;
    const names = (node.column_names as string[]).map((name) => name.toLowerCase());
    const isColumn =
      names.at(-1) === column.toLowerCase() &&
      (names.length === 1 ? alone : names.length === 2 && tables.has(names[0]!));
    if (isColumn) mentioned = true;
    else other = true;
  });
  return mentioned && !other;
}

/** Lets DuckDB itself say which partitions pass; undefined when it cannot. */
async function choose(
  connection: DuckDBConnection,
  filters: SqlNode[],
  column: string,
  partitions: string[],
): Promise<string[] | undefined> {
  if (partitions.length === 0) return [];
  const name = sqlName(column);
  const values = partitions.map((partition) => `(DATE ${sqlText(partition)})`).join(", ");
  const template = `SELECT strftime(${name}, '%Y-%m-%d') FROM (VALUES ${values}) AS partitions(${name}) WHERE true`;
  const tree = await serialise(connection, template);
  const unqualified = structuredClone(filters);
  visit(unqualified, (node) => {
    if (node.class === "COLUMN_REF") node.column_names = [column];
  });
  (tree.statements![0]!.node as SqlNode).where_clause =
    unqualified.length === 1
      ? unqualified[0]
      : { class: "CONJUNCTION", type: "CONJUNCTION_AND", alias: "", query_location: 0, children: unqualified };
  try {
    const answer = await connection.runAndReadAll("FROM json_execute_serialized_sql($1::JSON)", [JSON.stringify(tree)]);
    return answer.getRows().map(([partition]) => String(partition));
  } catch {
    // The statement itself will say what is wrong with it.
    return undefined;
  }
}
