/** Each says what is wrong with a value, in words that go behind "name: ", or undefined when nothing is. */
type Check = (value: unknown) => string | undefined;

/** `quarantine-<lake>-<account>-<region>` must fit in the 63 characters of a bucket name. */
const MAX_LAKE_NAME = 24;
/** Endings that S3 keeps for itself. */
const RESERVED_ENDINGS = ["-s3alias", "--ol-s3", "--x-s3", "--table-s3", "-an"];

const text: Check = (value) =>
  typeof value === "string" && value.trim() !== "" ? undefined : "expected a text that is not empty";

function integer(from: number, to: number, unit = ""): Check {
  return (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= from && value <= to
      ? undefined
      : `expected a whole number from ${from} to ${to}${unit && ` (${unit})`}`;
}

function oneOf(...allowed: (string | number)[]): Check {
  return (value) =>
    allowed.includes(value as string)
      ? undefined
      : `expected one of ${allowed.map((each) => JSON.stringify(each)).join(", ")}`;
}

const lake: Check = (value) => {
  if (typeof value !== "string" || !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(value)) {
    return "a lake's name becomes part of bucket names: lower-case letters, digits and hyphens, with a letter or digit at both ends";
  }
  if (value.length > MAX_LAKE_NAME)
    return `a lake's name has at most ${MAX_LAKE_NAME} characters, and this one has ${value.length}`;
  const ending = RESERVED_ENDINGS.find((each) => `raw-${value}`.endsWith(each));
  return ending && `S3 keeps names that end in "${ending}" for itself`;
};

const region: Check = (value) =>
  typeof value === "string" && /^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/.test(value)
    ? undefined
    : "expected a region such as us-east-1 or eu-west-1";

const url: Check = (value) => {
  const parsed = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (parsed?.protocol !== "http:" && parsed?.protocol !== "https:")
    return "expected a URL such as http://localhost:4566";
  return parsed.pathname === "/" && parsed.search === "" && parsed.hash === ""
    ? undefined
    : "expected a URL without a path";
};

const timezone: Check = (value) => {
  try {
    new Intl.DateTimeFormat("en", { timeZone: String(value) });
    return text(value);
  } catch {
    return "expected an IANA time zone such as UTC or Europe/Lisbon";
  }
};

/** In output keys, `as=2024-01-31/…`. */
const partitionName: Check = (value) =>
  typeof value === "string" && /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(value)
    ? undefined
    : "expected letters, digits and underscores, and no digit first";

const columns: Check = (value) => {
  if (!Array.isArray(value) || value.length === 0 || value.some((name) => typeof name !== "string" || name === "")) {
    return "expected a list of column names, such as [id, date, amount]";
  }
  const twice = value.find((name, index) => value.indexOf(name) !== index);
  return twice === undefined ? undefined : `the column "${twice}" is there twice`;
};

/** What PutRetentionPolicy takes. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const LOG_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

const days: Check = (value) =>
  value === "forever" || integer(1, 36_500)(value) === undefined
    ? undefined
    : "expected a number of days from 1 to 36500, or forever";

const logDays: Check = (value) =>
  value === "forever" || LOG_DAYS.includes(value as number)
    ? undefined
    : `CloudWatch Logs keeps logs for one of these numbers of days, or forever: ${LOG_DAYS.join(", ")}`;

export const checks = {
  text,
  lake,
  region,
  url,
  timezone,
  partitionName,
  port: integer(1, 65_535),
  memory: integer(128, 10_240, "MB"),
  timeout: integer(1, 900, "seconds"),
  functionConcurrency: integer(1, 1_000),
  skipLines: integer(0, 1_000),
  columns,
  days,
  logDays,
  format: oneOf("csv", "parquet"),
  onDelete: oneOf("remove", "keep"),
  backend: oneOf("embedded", "localstack", "endpoint", "aws"),
  delimiter: oneOf(",", ";", "\t", "|"),
  quote: oneOf('"', "'"),
  encoding: oneOf("utf-8", "utf-16le", "utf-16be", "windows-1252", "iso-8859-1"),
} satisfies Record<string, Check>;
