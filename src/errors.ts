/** What the user can mend: input, configuration, environment. */
export type UserErrorCode =
  | "Usage" // an option or argument that cannot be used; exit code 2
  | "Config" // minilake.yaml is missing something, or cannot be read
  | "InputFile" // a file to ingest that is missing, unreadable or empty of CSV
  | "PortInUse" // the port of the embedded endpoint belongs to another program
  | "DataFolder" // .minilake is damaged, unreadable, read-only, full or in use by another process
  | "EndpointUnreachable" // nothing answers where the backend should be
  | "NoLake" // the command needs a lake and there is none; `up` makes one
  | "NotOurs" // a resource of the same name exists that minilake did not make
  | "LeaseHeld" // somebody else is running `up` or `down` on this lake
  | "AccessDenied" // the credentials may not do what the command needs
  | "FunctionFailed" // Lambda itself could not set a function up, and says why
  | "Docker" // LocalStack was asked for and Docker cannot provide it
  | "Timeout" // a bounded wait ran out
  | "Interrupted"; // Ctrl-C; exit code 130

/** Our own mistakes. */
export type InternalErrorCode = "Internal"; // an invariant does not hold: a bug in minilake

export type ErrorCode = UserErrorCode | InternalErrorCode;

/**
 * Every failure that minilake reports.
 *
 * message   what happened and where, in one or two sentences, with the name of the thing
 * hint      what to type or change next
 */
export class MinilakeError extends Error {
  override readonly name = "MinilakeError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/**
 * True when `error` is an error of an AWS SDK client with one of these names, such as "NoSuchBucket".
 * HEAD answers have no body, so the SDK reports them as "NotFound".
 */
export function isAwsError(error: unknown, ...names: string[]): error is Error {
  return error instanceof Error && names.includes(error.name);
}
