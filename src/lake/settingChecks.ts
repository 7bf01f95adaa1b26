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
  onDelete: oneOf("remove", "keep"),
  backend: oneOf("embedded", "localstack", "endpoint", "aws"),
  delimiter: oneOf(",", ";", "\t", "|"),
  quote: oneOf('"', "'"),
  encoding: oneOf("utf-8", "utf-16le", "utf-16be", "windows-1252", "iso-8859-1"),
} satisfies Record<string, Check>;
