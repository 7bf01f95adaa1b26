import { invalidParameter } from "./errors.ts";
import { type Input, optionalInteger, optionalString } from "./input.ts";

const MAX_PAGE = 1_000;

/** MaxResults (1 to 1,000, which is also the default) and the name after which the page starts. */
export function readPage(input: Input): { limit: number; after: string | undefined; isPaged: boolean } {
  const maxResults = optionalInteger(input, "MaxResults");
  if (maxResults !== undefined && !(maxResults >= 1 && maxResults <= MAX_PAGE)) {
    throw invalidParameter(
      `Value ${input.MaxResults} for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and ${MAX_PAGE}.`,
    );
  }
  const token = optionalString(input, "NextToken");
  const after = token === undefined ? undefined : Buffer.from(token, "base64").toString("utf8");
  return { limit: maxResults ?? MAX_PAGE, after, isPaged: maxResults !== undefined };
}

/** The token continues after `name`. */
export const pageToken = (name: string) => Buffer.from(name).toString("base64");
