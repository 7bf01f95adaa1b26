import { AwsError } from "../../awsError.ts";
import { type IamOperation, isoSeconds, noSuchEntity } from "../operation.ts";

/**
 * The account root alone: there are no users.
 *
 * Throws   NoSuchEntity 404 for a name, ValidationError 400 for a role's session
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
 */
export const getUser: IamOperation = (input, context) => {
  const name = input.optionalText("UserName", { max: 128 });
  input.check();
  const { caller, accountId, identities, demand } = context;
  if (name !== undefined) {
    demand("iam:GetUser", `arn:aws:iam::${accountId}:user/${name}`);
    throw noSuchEntity(`The user with name ${name} cannot be found.`);
  }
  if (caller.kind !== "root") {
    throw new AwsError("ValidationError", "Must specify userName when calling with non-User credentials", 400);
  }
  return {
    User: {
      UserId: accountId,
      Arn: `arn:aws:iam::${accountId}:root`,
      CreateDate: isoSeconds(identities.rootKey().createdAt),
    },
  };
};
