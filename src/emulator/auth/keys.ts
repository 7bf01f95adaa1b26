import type { Caller } from "../access.ts";
import type { EmulatorRequest, ServiceName } from "../http.ts";
import { expiredToken, invalidToken, unknownKey } from "./refusals.ts";
import { type SigningKeys, sameText } from "./sigv4.ts";

/** What the endpoint knows of an access key. */
export interface KnownKey {
  secretAccessKey: string;
  /** Must come with the request; undefined: the key is a long-term one and takes none. */
  sessionToken?: string;
  /** Milliseconds since the epoch; undefined: never. */
  expiration?: number;
  /** `test`: whatever token comes along is ignored, because people set AWS_SESSION_TOKEN=test too. */
  ignoresToken?: boolean;
  /** Who the key stands for; copied, never changed. */
  caller: Caller;
}

export interface Authentication {
  /** Undefined for a key that nobody was given, or whose role is gone. */
  findKey: (accessKeyId: string) => KnownKey | undefined;
  signingKeys: SigningKeys;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/**
 * The key, if it is known, its token is the right one and it has not expired.
 * Throws   AwsError in the words of `service`: unknown key, invalid token, expired token
 */
export function admitKey(
  accessKeyId: string,
  token: string | undefined,
  service: ServiceName,
  { findKey, now }: Authentication,
): KnownKey {
  const key = findKey(accessKeyId);
  if (key === undefined) throw unknownKey(service, accessKeyId);
  if (key.sessionToken === undefined) {
    if (token !== undefined && !key.ignoresToken) throw invalidToken(service, token);
    return key;
  }
  if (token === undefined) throw unknownKey(service, accessKeyId);
  if (!sameText(token, key.sessionToken)) throw invalidToken(service, token);
  if (key.expiration !== undefined && key.expiration <= now()) throw expiredToken(service, token);
  return key;
}

/** What conditions may ask of a request, whoever sent it. */
export const requestFacts = ({ remoteAddress, headers }: EmulatorRequest) => ({
  sourceIp: remoteAddress,
  userAgent: headers["user-agent"],
  referer: headers.referer,
});
