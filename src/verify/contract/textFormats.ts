import type { StringFormat } from "../../contract/compiledContract.ts";

/** Whether a text is of a format that a contract may ask for. Letters in either case, ASCII alone. */
export const TEXT_FORMATS: Record<StringFormat, (text: string) => boolean> = {
  email: isEmail,
  uuid: (text) => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text),
  uri: (text) => /^[a-z][a-z0-9+.-]*:(?:[a-z0-9._~:/?#[\]@!$&'()*+,;=-]|%[0-9a-f]{2})+$/i.test(text) && isAscii(text),
  hostname: isHostname,
  ipv4: isIpv4,
  ipv6: isIpv6,
};

const isAscii = (text: string): boolean => /^[\x00-\x7f]*$/.test(text);

/** RFC 5321 without quoted local parts, comments and address literals. */
function isEmail(text: string): boolean {
  const at = text.indexOf("@");
  const local = text.slice(0, Math.max(0, at));
  if (text.length > 254 || local.length > 64) return false;
  const atoms = local.split(".");
  return atoms.every((atom) => /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+$/.test(atom)) && isHostname(text.slice(at + 1));
}

/** RFC 1123. */
function isHostname(text: string): boolean {
  if (text.length > 253) return false;
  return text
    .split(".")
    .every((label) => /^[A-Za-z0-9-]{1,63}$/.test(label) && !label.startsWith("-") && !label.endsWith("-"));
}

function isIpv4(text: string): boolean {
  const numbers = text.split(".");
  return (
    numbers.length === 4 && numbers.every((number) => /^(?:0|[1-9]\d{0,2})$/.test(number) && Number(number) <= 255)
  );
}

/** RFC 4291, without zone and prefix length. */
function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const last = groups.at(-1)!;
  const isMapped = last.at(-1)?.includes(".") === true;
  if (isMapped) {
    if (!isIpv4(last.pop()!)) return false;
    last.push("0", "0");
  }
  const all = groups.flat();
  if (!all.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? all.length <= 7 : all.length === 8;
}
