import type { Keys, Variant } from "./check.ts";

/** Of a type of server: keys that it must have, then keys that it may have. `port` is a whole number, the rest is text. */
const SERVERS: Record<string, [required: string, optional: string]> = {
  api: ["location", ""],
  athena: ["stagingDir schema", "catalog regionName"],
  azure: ["location format", "delimiter"],
  bigquery: ["project dataset", ""],
  clickhouse: ["host port database", ""],
  cloudsql: ["host port database schema", ""],
  custom: [
    "",
    "account catalog database dataset delimiter endpointUrl format host location path port project region regionName schema " +
      "serviceName stagingDir stream warehouse",
  ],
  databricks: ["catalog schema", "host"],
  db2: ["host port database", "schema"],
  denodo: ["host port", "database"],
  dremio: ["host port", "schema"],
  duckdb: ["database", "schema"],
  glue: ["account database", "location format"],
  hive: ["host database", "port"],
  impala: ["host database", "port"],
  informix: ["host database", "port"],
  kafka: ["host", "format"],
  kinesis: ["", "region format"],
  local: ["path format", ""],
  mysql: ["host port database", ""],
  oracle: ["host port serviceName", ""],
  postgres: ["host port database schema", ""],
  postgresql: ["host port database schema", ""],
  presto: ["host", "catalog schema"],
  pubsub: ["project", ""],
  redshift: ["database schema", "host region account"],
  s3: ["location", "endpointUrl format delimiter"],
  sftp: ["location", "format delimiter"],
  snowflake: ["account database schema", "host port warehouse"],
  sqlserver: ["host database schema", "port"],
  synapse: ["host port database", ""],
  trino: ["host port catalog schema", ""],
  vertica: ["host port database schema", ""],
  zen: ["host database", "port"],
};

export const SERVER_TYPES: readonly string[] = Object.keys(SERVERS);

/** What a server of this type has besides the keys of all servers; nothing for a type that there is not. */
export function serverVariant(type: string | undefined): Variant {
  const entry = type !== undefined && Object.hasOwn(SERVERS, type) ? SERVERS[type] : undefined;
  if (!entry) return {};
  const [required, optional] = entry.map((names) => names.split(" ").filter((name) => name !== ""));
  const keys: Keys = {};
  for (const name of [...required!, ...optional!]) keys[name] = name === "port" ? { is: "integer" } : { is: "text" };
  if (type === "sftp") {
    keys.location = { is: "text", pattern: /^sftp:\/\//, said: 'a text that starts with "sftp://"' };
  }
  return { keys, required: required! };
}
