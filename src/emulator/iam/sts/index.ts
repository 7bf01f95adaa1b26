import { assumeRole } from "./assumeRole.ts";
import { getAccessKeyInfo } from "./getAccessKeyInfo.ts";
import { getCallerIdentity } from "./getCallerIdentity.ts";
import { getSessionToken } from "./getSessionToken.ts";
import type { StsOperation } from "./operation.ts";

/**
 * AWS Security Token Service (query protocol, version 2011-06-15).
 *
 * Done     AssumeRole, GetCallerIdentity, GetSessionToken, GetAccessKeyInfo
 * Absent   federation (AssumeRoleWithSAML, AssumeRoleWithWebIdentity, AssumeRoot, GetFederationToken, GetWebIdentityToken),
 *          GetDelegatedAccessToken, GetScopedCredentials, DecodeAuthorizationMessage, MFA, source identity: 501 by name
 * Differs  the account root may assume a role whose trust policy names the account; AWS refuses the root, but here it is the
 *          only long-term identity
 */
export type StsOperationName = "AssumeRole" | "GetAccessKeyInfo" | "GetCallerIdentity" | "GetSessionToken";

export const STS_OPERATIONS: Record<StsOperationName, StsOperation> = {
  AssumeRole: assumeRole,
  GetAccessKeyInfo: getAccessKeyInfo,
  GetCallerIdentity: getCallerIdentity,
  GetSessionToken: getSessionToken,
};
