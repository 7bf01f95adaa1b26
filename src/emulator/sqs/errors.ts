import { AwsError } from "../awsError.ts";

/**
 * An error of SQS. `shape` is its name in the JSON protocol, `legacy` the code of the old query protocol, which SDKs report as
 * the error's code because the answer carries `x-amzn-query-error`.
 */
export function sqsError(shape: string, message: string, options: { legacy?: string; status?: number } = {}): AwsError {
  return new AwsError(`${JSON_PREFIX}${shape}`, message, options.status ?? 400, {
    headers: { [QUERY_ERROR]: `${options.legacy ?? shape};Sender` },
  });
}

export const JSON_PREFIX = "com.amazonaws.sqs#";
export const QUERY_ERROR = "x-amzn-query-error";

const LEGACY_PREFIX = "AWS.SimpleQueueService.";

const QUEUE_DOES_NOT_EXIST = "The specified queue does not exist.";

export const queueDoesNotExist = () =>
  sqsError("QueueDoesNotExist", QUEUE_DOES_NOT_EXIST, { legacy: `${LEGACY_PREFIX}NonExistentQueue` });

export const invalidParameter = (message: string) =>
  sqsError("InvalidParameterValueException", message, { legacy: "InvalidParameterValue" });

export const missingParameter = (name: string) =>
  sqsError("MissingRequiredParameterException", `The request must contain the parameter ${name}.`, {
    legacy: "MissingParameter",
  });

export const invalidAttributeValue = (name: string, reason = "") =>
  sqsError(
    "InvalidAttributeValue",
    `Invalid value for the parameter ${name}.${reason === "" ? "" : ` Reason: ${reason}`}`,
  );

export const unknownAttribute = (name: string) => sqsError("InvalidAttributeName", `Unknown Attribute ${name}.`);

export const invalidReceiptHandle = (handle: string) =>
  sqsError("ReceiptHandleIsInvalid", `The input receipt handle "${handle}" is not a valid receipt handle.`);

export const resourceNotFound = (message: string) => sqsError("ResourceNotFoundException", message, { status: 404 });

/** EmptyBatchRequest, BatchRequestTooLong, … whose legacy code is the shape's name behind a prefix. */
export const batchError = (shape: string, message: string, status = 400) =>
  sqsError(shape, message, { legacy: `${LEGACY_PREFIX}${shape}`, status });

/** The shape or legacy code without prefix, for the Failed list of a batch: AWS reports the legacy code there. */
export const legacyCode = (error: AwsError) => (error.headers[QUERY_ERROR] ?? error.code).split(";")[0] as string;

/** The error's text as the query protocol has it: the one about a missing queue names the protocol's version. */
export const legacyMessage = ({ message }: AwsError) =>
  message === QUEUE_DOES_NOT_EXIST ? "The specified queue does not exist for this wsdl version." : message;
