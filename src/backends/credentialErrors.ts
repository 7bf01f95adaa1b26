import { MinilakeError } from "../errors.ts";

/**
 * What keeps AWS from knowing who calls, in words; other errors are given back as they are.
 *
 * profile   the one in use; undefined for the default one
 */
export function explainCredentials(error: unknown, profile: string | undefined): unknown {
  if (!(error instanceof Error)) return error;
  const whose = profile === undefined ? "" : ` of the profile "${profile}"`;
  const option = profile === undefined ? "" : ` --profile ${profile}`;
  const refused = (message: string, hint: string) => new MinilakeError("AccessDenied", message, { hint, cause: error });
  const { name, message } = error;
  if (name === "CredentialsProviderError" || name === "TokenProviderError") {
    if (
      /SSO session .*(expired|invalid)|SSO session token .*(not found|invalid)|sso login|token is expired/i.test(
        message,
      )
    ) {
      return refused(`The sign-in${whose} to AWS has expired.`, `Sign in again: aws sso login${option}`);
    }
    if (/re-authenticate using aws login/.test(message)) {
      return refused(`The sign-in${whose} to AWS has expired.`, `Sign in again: aws login${option}`);
    }
    if (/multi-factor/.test(message)) {
      return refused(
        `The profile "${profile ?? "default"}" asks for a code of a second factor, which minilake cannot ask for.`,
        `Let the AWS CLI ask, and use what it gets: eval "$(aws configure export-credentials${option} --format env)"`,
      );
    }
    if (profile !== undefined) {
      return refused(
        `There are no usable credentials for the profile "${profile}": ${message}`,
        `Which profiles there are: aws configure list-profiles. To make this one: aws configure sso${option}`,
      );
    }
    return refused(
      "No AWS credentials were found: not in the environment, not in ~/.aws, and this machine has no role.",
      "Sign in (aws sso login) and name the profile: --profile NAME. Or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Without an account: --backend embedded.",
    );
  }
  if (/^Expired|TokenRefreshRequired/.test(name)) {
    return refused(
      `The AWS session${whose} has expired.`,
      `Sign in again: aws sso login${option}. A session in AWS_SESSION_TOKEN goes before a profile: unset it when it is old.`,
    );
  }
  if (/^(InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient)/.test(name)) {
    return refused(
      `AWS does not know the access key${whose}.`,
      `Look at which one is in use: aws configure list${option}. A region that the account has not switched on answers like this, too.`,
    );
  }
  if (/^SignatureDoesNotMatch/.test(name)) {
    return refused(
      `AWS does not accept the secret key${whose}.`,
      `Look at where it comes from: aws configure list${option}. And at this machine's clock.`,
    );
  }
  return error;
}
