import type { ChalkInstance } from "chalk";
import { MinilakeError } from "../errors.ts";

export interface ErrorDescription {
  /** Stable: one of minilake's codes, or AWS's own for an answer that minilake has no words for. */
  code: string;
  /** What happened, where and why. */
  message: string;
  /** What to type or change next. */
  hint?: string;
  /** Of an AWS answer. */
  httpStatus?: number;
  requestId?: string;
}

export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof MinilakeError)) return EXIT.failed;
  if (error.code === "Usage" || error.code === "Config") return EXIT.usage;
  return error.code === "Interrupted" ? EXIT.interrupted : EXIT.failed;
}

/** Words for every error that can reach the command line. `answerer` is who answers requests: "AWS" or "The endpoint". */
export function describeError(error: unknown, answerer = "AWS"): ErrorDescription {
  if (error instanceof MinilakeError) {
    const { code, message, hint } = error;
    return code === "Internal" ? { code, message, hint: hint ?? BUG_HINT } : { code, message, ...(hint && { hint }) };
  }
  if (!(error instanceof Error)) return { code: "Internal", message: String(error), hint: BUG_HINT };
  return (
    describeNetworkError(error) ?? describeAwsError(error, answerer) ?? describeFileError(error) ?? describeBug(error)
  );
}

/** Two or three lines: the message, the hint, and what identifies an AWS answer. A stack only when `verbose`. */
export function renderError(error: unknown, colours: ChalkInstance, verbose = false, answerer = "AWS"): string {
  const { message, hint, httpStatus, requestId } = describeError(error, answerer);
  const lines = [`${colours.red("✖")} ${message.replaceAll("\n", "\n  ")}`];
  if (hint) lines.push(`  ${hint.replaceAll("\n", "\n  ")}`);
  if (requestId)
    lines.push(
      colours.dim(
        `  ${answerer === "AWS" ? "AWS request" : "Request"} ${requestId}${httpStatus ? `, HTTP ${httpStatus}` : ""}`,
      ),
    );
  if (verbose) for (const stack of stacks(error)) lines.push(colours.dim(stack));
  return lines.join("\n");
}

const BUG_HINT =
  "This is a bug in minilake. Run the command again with --verbose and report what it prints.\nThe lake is safe: every command can be run again.";

/** What the SDK puts on its errors. */
interface AwsAnswer {
  $metadata?: { httpStatusCode?: number; requestId?: string };
  Code?: string;
}

function describeAwsError(error: Error, answerer: string): ErrorDescription | undefined {
  if (error.name === "CredentialsProviderError" || error.name === "TokenProviderError") {
    return {
      code: "AccessDenied",
      message: `No usable AWS credentials: ${withStop(error.message)}`,
      hint: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile: --profile NAME. Without an account, use --backend embedded.",
    };
  }
  const { $metadata: metadata } = error as AwsAnswer;
  if (!metadata) return undefined;
  const answer = {
    ...(metadata.httpStatusCode && { httpStatus: metadata.httpStatusCode }),
    ...(metadata.requestId && { requestId: metadata.requestId }),
  };
  const said = `${answerer} answered ${error.name}: ${withStop(error.message)}`;
  if (/^Expired|TokenRefreshRequired/.test(error.name)) {
    return { code: "AccessDenied", message: said, hint: "Sign in again, for example: aws sso login", ...answer };
  }
  if (/^(InvalidAccessKeyId|SignatureDoesNotMatch|InvalidClientTokenId|UnrecognizedClient)/.test(error.name)) {
    return {
      code: "AccessDenied",
      message: said,
      hint: "Check the credentials in use: aws sts get-caller-identity. The embedded endpoint takes test/test or the key pair that `minilake up` prints.",
      ...answer,
    };
  }
  if (/^(AccessDenied|Unauthorized|Forbidden|403)/.test(error.name) || metadata.httpStatusCode === 403) {
    return {
      code: "AccessDenied",
      message: said,
      hint: "The credentials in use lack a permission. Whose they are: aws sts get-caller-identity",
      ...answer,
    };
  }
  if (/No space left|ENOSPC|disk is full/i.test(error.message)) {
    return {
      code: error.name,
      message: said,
      hint: "Free some space and run the same command again; it goes on where it was.",
      ...answer,
    };
  }
  if (metadata.httpStatusCode === 501) {
    return {
      code: error.name,
      message: said,
      hint: "The endpoint does not have this operation. Another backend may: --backend aws, or --endpoint-url URL.",
      ...answer,
    };
  }
  return { code: error.name, message: said, ...answer };
}

interface SystemError extends Error {
  code?: string;
  path?: string;
  address?: string;
  port?: number;
  hostname?: string;
}

function describeNetworkError(error: Error): ErrorDescription | undefined {
  const cause = causes(error).find(({ code }) =>
    /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNRESET|EPROTO)$/.test(code ?? ""),
  );
  if (!cause && error.name !== "TimeoutError") return undefined;
  const place = cause?.address ? `${cause.address}:${cause.port}` : cause?.hostname;
  const where = place ? ` at ${place}` : "";
  const why = cause?.code === "ECONNRESET" ? "broke off the connection" : "does not answer";
  return {
    code: "EndpointUnreachable",
    message: `The AWS endpoint${where} ${why} (${cause?.code ?? error.message}).`,
    hint: "For the embedded endpoint, run: minilake up. Otherwise check --endpoint-url, the region and the network.",
  };
}

const FILE_ERRORS: Record<string, [what: string, hint: string]> = {
  ENOENT: ["does not exist", "Check the path."],
  EACCES: ["may not be read or written by this user", "Check its owner and permissions: ls -ld"],
  EPERM: ["may not be changed by this user", "Check its owner and permissions: ls -ld"],
  EISDIR: ["is a folder", "Name a file."],
  ENOTDIR: ["lies under something that is not a folder", "Check the path."],
  ENOSPC: [
    "cannot be written: the disk is full",
    "Free some space and run the same command again; it goes on where it was.",
  ],
  EDQUOT: ["cannot be written: the disk quota is used up", "Free some space and run the same command again."],
  EROFS: ["is on a read-only file system", "Choose another folder: --data-dir DIR"],
  EMFILE: ["cannot be opened: too many open files", "Raise the limit: ulimit -n 4096"],
};

function describeFileError(error: Error): ErrorDescription | undefined {
  const { code, path } = error as SystemError;
  const known = code ? FILE_ERRORS[code] : undefined;
  if (!known) return undefined;
  const [what, hint] = known;
  return { code: code!, message: `${path ?? "A file"} ${what} (${code}).`, hint };
}

function describeBug(error: Error): ErrorDescription {
  const name = error.name === "Error" ? "" : `${error.name}: `;
  return {
    code: "Internal",
    message: `Something unexpected went wrong: ${name}${withStop(error.message)}`,
    hint: BUG_HINT,
  };
}

/** The error, what caused it, and what several attempts each met. */
function causes(error: Error): SystemError[] {
  const found: SystemError[] = [];
  const visit = (value: unknown) => {
    if (!(value instanceof Error) || found.includes(value) || found.length > 20) return;
    found.push(value);
    visit(value.cause);
    if (value instanceof AggregateError) value.errors.forEach(visit);
  };
  visit(error);
  return found;
}

function stacks(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return causes(error).map((each, index) => `${index === 0 ? "" : "caused by "}${each.stack ?? each.message}`);
}

function withStop(sentence: string): string {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
