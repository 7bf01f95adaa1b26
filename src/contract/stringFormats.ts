import type { StringFormat } from "./compiledContract.ts";

/**
 * What a string must be to have one of the formats that a contract enforces. Everything is ASCII; letters count in both
 * cases unless a line says otherwise.
 *
 * email     local@domain, 254 characters at most. local: 1 to 64 of letters, digits and !#$%&'*+/=?^_`{|}~- in parts joined by
 *           single dots; no quoted local parts, no comments. domain: a hostname
 * uuid      32 hexadecimal digits as 8-4-4-4-12, of any version; no braces, no "urn:uuid:"
 * uri       absolute: a scheme (a letter, then letters, digits, + - .), ":", then one or more of the characters that RFC 3986
 *           allows, "%" only before two hexadecimal digits. No spaces; what the scheme wants beyond that is not looked at
 * hostname  labels joined by dots, 253 characters at most; a label is 1 to 63 letters, digits and hyphens with no hyphen at
 *           either end (RFC 1123). No final dot, no underscore. One label is enough
 * ipv4      four numbers from 0 to 255 joined by dots, without leading zeros
 * ipv6      RFC 4291: eight groups of 1 to 4 hexadecimal digits joined by colons; one "::" may stand for one or more groups of
 *           zeros; the last two groups may be an ipv4. No zone (%eth0), no brackets, no prefix length
 *
 * The patterns match a whole cell; `email` and `hostname` have the limit of length besides.
 */
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const HOSTNAME = `${LABEL}(?:\\.${LABEL})*`;
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const IPV4 = `(?:${OCTET}\\.){3}${OCTET}`;
const GROUP = "[0-9A-Fa-f]{1,4}";
const LAST_TWO = `(?:${GROUP}:${GROUP}|${IPV4})`;

/** `before` groups at most in front of "::", then what `after` says. */
const shortened = (before: number, after: string): string =>
  `${before === 0 ? "" : `(?:(?:${GROUP}:){0,${before - 1}}${GROUP})?`}::${after}`;

const IPV6 = [
  `(?:${GROUP}:){6}${LAST_TWO}`,
  shortened(0, `(?:${GROUP}:){5}${LAST_TWO}`),
  shortened(1, `(?:${GROUP}:){4}${LAST_TWO}`),
  shortened(2, `(?:${GROUP}:){3}${LAST_TWO}`),
  shortened(3, `(?:${GROUP}:){2}${LAST_TWO}`),
  shortened(4, `${GROUP}:${LAST_TWO}`),
  shortened(5, LAST_TWO),
  shortened(6, GROUP),
  shortened(7, ""),
].join("|");

export const STRING_FORMATS: Record<StringFormat, { pattern: RegExp; maxLength?: number }> = {
  email: { pattern: new RegExp(`^(?=.{1,64}@)${ATOM}(?:\\.${ATOM})*@${HOSTNAME}$`), maxLength: 254 },
  uuid: { pattern: /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/ },
  uri: { pattern: /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+$/ },
  hostname: { pattern: new RegExp(`^${HOSTNAME}$`), maxLength: 253 },
  ipv4: { pattern: new RegExp(`^${IPV4}$`) },
  ipv6: { pattern: new RegExp(`^(?:${IPV6})$`) },
};
