/** What a new minilake.yaml says; everything else stands in it as a comment with its default. */
export interface TemplateChoices {
  lake?: string | undefined;
  /** Path from the folder of the file. */
  contract?: string | undefined;
}

/**
 * The text of a minilake.yaml in which every setting stands and is explained. What is commented out shows the default, or
 * an example where there is none.
 */
export function configurationTemplate({ lake, contract }: TemplateChoices): string {
  const given = (line: string, isGiven: boolean) => (isGiven ? line : `# ${line}`);
  return `# The definition of a lake. Every line may be left out: what is commented out shows the default, or an example.
# minilake plan says what a change would do; minilake up does it. All about it: docs/configuration.md

${given(`lake: ${lake ?? "transactions"}`, lake !== undefined)} # a part of every name: raw-${lake ?? "transactions"}, curated-${lake ?? "transactions"}, …

# Where it lives.
# backend: embedded # embedded, localstack, endpoint (with endpointUrl) or aws
# region: us-east-1
# port: 4566 # of the embedded endpoint
# endpointUrl: http://localhost:4566 # of another AWS-compatible endpoint, an example
# profile: default # of the AWS configuration, an example

# What a row must be. Rows that break the contract go to quarantine, each with its reason.
${given(`contract: ${JSON.stringify(contract ?? "transactions.odcs.yaml")}`, contract !== undefined)} # from this folder; minilake init FILE makes one
# schema: transactions # the entry of the contract's schema, when it has several; an example

# The day that each row is stored by.
# partition:
#   column: transaction_date # an example; without it: partitioned: true in the contract, else the one column of ISO dates
#   as: dt_reference # name of the partition in keys: dt_reference=2026-08-01/
#   timezone: UTC # timestamps are moved here before their day is taken; an IANA name

# What comes out, and what deleting a raw file does.
# format: csv # csv or parquet
# onDelete: remove # remove: what came from the file goes as well; keep: it stays

# How files are written. What is not said here is detected in each file; these are examples.
# dialect:
#   delimiter: "," # "," ";" "\\t" "|"
#   quote: '"' # '"' or "'"
#   encoding: utf-8 # utf-8, utf-16le, utf-16be, windows-1252, iso-8859-1
#   skipLines: 0 # lines before the header
#   columns: [id, date, amount] # for files without a header: their columns, in order

# The functions.
# function:
#   memory: 1769 # MB; here Lambda gives one whole processor. Parquet: 3008
#   timeout: 900 # seconds, Lambda's longest
#   concurrency: 10 # most runs at a time, an example; without it there is no limit of its own
#   endpointUrl: http://host.docker.internal:4566 # where functions find AWS, when it is not where you find it

# How long things are kept, in days, or forever.
# retention:
#   oldVersions: 30 # of raw files that were replaced or deleted
#   incompleteUploads: 7
#   logs: 30
`;
}
