/**
 * Of the npm packages @duckdb/node-bindings-<platform>. It goes into the functions' code: another version writes other
 * bytes, and is other code.
 */
export const DUCKDB_VERSION = "1.5.6-r.1";
