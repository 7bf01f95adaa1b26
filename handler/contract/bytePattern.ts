/** One step of a pattern: `least` to `most` bytes of a set. */
interface Step {
  /** 1 for each byte of the set. */
  set: Uint8Array;
  least: number;
  most: number;
}

const ATOM = /\\([\d\W])|\\d|\[((?:[^\]\\^]|\\\W|\\d)(?:[^\]\\]|\\\W|\\d)*)\]|([^\\^$.*+?()[\]{}|/])/suy;
const QUANTIFIER = /\{(\d+)(?:(,)(\d*))?\}|[?*+]/y;
const DIGITS = "0123456789";
/** More is not worth a table per step. */
const MAX_STEPS = 64;

/**
 * What tests a cell byte by byte as a regular expression with flag "u" would, without making a text of it first; undefined
 * for an expression that is not simple enough: it must be anchored at both ends and a sequence of ASCII characters and
 * sets, and where it may repeat one as often as it likes, what follows must be no part of that one.
 */
export function bytePattern(source: string): ((bytes: Uint8Array, start: number, end: number) => boolean) | undefined {
  const steps = stepsOf(source);
  if (steps === undefined) return undefined;
  return (bytes, start, end) => {
    let i = start;
    for (let s = 0; s < steps.length; s++) {
      const { set, least, most } = steps[s]!;
      const limit = Math.min(end, i + most);
      const first = i;
      while (i < limit && set[bytes[i]!] === 1) i++;
      if (i - first < least) return false;
    }
    return i === end;
  };
}

function stepsOf(source: string): Step[] | undefined {
  if (!source.startsWith("^") || !source.endsWith("$")) return undefined;
  const body = source.slice(1, -1);
  const steps: Step[] = [];
  for (let at = 0; at < body.length; ) {
    ATOM.lastIndex = at;
    const atom = ATOM.exec(body);
    if (atom === null || steps.length === MAX_STEPS) return undefined;
    const [whole, escaped, members, plain] = atom;
    const set = setOf(members ?? (escaped !== undefined ? `\\${escaped}` : (plain ?? "\\d")), members === undefined);
    if (set === undefined) return undefined;
    QUANTIFIER.lastIndex = at + whole.length;
    const quantifier = QUANTIFIER.exec(body);
    at += whole.length + (quantifier?.[0].length ?? 0);
    // A quantifier that is not greedy.
    if (quantifier !== null && body[at] === "?") return undefined;
    steps.push({ set, ...bounds(quantifier) });
  }
  const isClear = steps.every(
    ({ set, least, most }, i) => least === most || i + 1 === steps.length || !mayFollow(steps, i + 1, set),
  );
  return isClear ? steps : undefined;
}

/** Whether what comes next may begin with a byte of `set`. */
function mayFollow(steps: Step[], next: number, set: Uint8Array): boolean {
  for (let i = next; i < steps.length; i++) {
    const step = steps[i]!;
    if (step.most > 0 && step.set.some((is, byte) => is === 1 && set[byte] === 1)) return true;
    if (step.least > 0) return false;
  }
  return false;
}

function bounds(quantifier: RegExpExecArray | null): { least: number; most: number } {
  if (quantifier === null) return { least: 1, most: 1 };
  const [text, least, comma, most] = quantifier;
  if (text === "?") return { least: 0, most: 1 };
  if (text === "*") return { least: 0, most: Number.MAX_SAFE_INTEGER };
  if (text === "+") return { least: 1, most: Number.MAX_SAFE_INTEGER };
  if (comma === undefined) return { least: Number(least), most: Number(least) };
  return { least: Number(least), most: most === "" ? Number.MAX_SAFE_INTEGER : Number(most) };
}

/** The bytes of a set's members, or of one character; undefined when one of them is not ASCII. */
function setOf(members: string, isSingle: boolean): Uint8Array | undefined {
  const set = new Uint8Array(256);
  const characters: { code: number; isLiteral: boolean }[] = [];
  for (let i = 0; i < members.length; i++) {
    let isLiteral = false;
    if (members[i] === "\\" && members[i + 1] === "d") {
      for (const digit of DIGITS) set[digit.charCodeAt(0)] = 1;
      // A range from or to a class is none.
      if (members[i + 2] === "-" || characters.at(-1)?.code === 45) return undefined;
      i++;
      continue;
    }
    if (members[i] === "\\") {
      i++;
      isLiteral = true;
    }
    const code = members.charCodeAt(i);
    if (code >= 128) return undefined;
    characters.push({ code, isLiteral });
  }
  for (let i = 0; i < characters.length; i++) {
    const { code } = characters[i]!;
    const dash = characters[i + 1];
    const last = characters[i + 2];
    if (!isSingle && dash?.code === 45 && !dash.isLiteral && last !== undefined) {
      for (let member = code; member <= last.code; member++) set[member] = 1;
      i += 2;
    } else {
      set[code] = 1;
    }
  }
  return set;
}
