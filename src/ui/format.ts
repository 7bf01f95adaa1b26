const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** 1536 -> "1.5 KiB"; whole numbers below 1 KiB, one decimal below 100 of a unit. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** 340 -> "340 ms", 1234 -> "1.2 s", 125000 -> "2 min 5 s", 7260000 -> "2 h 1 min". */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** 5000 -> "5,000". */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** plural(1, "row") -> "1 row", plural(5000, "row") -> "5,000 rows". */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}

/** Part of a whole: "98.9 %". Never "100 %" or "0 %" for what is only nearly so. */
export function formatPercent(part: number, whole: number): string {
  if (whole === 0) return "0 %";
  if (part === whole) return "100 %";
  const percent = (part / whole) * 100;
  if (percent > 99.9) return ">99.9 %";
  if (percent > 0 && percent < 0.1) return "<0.1 %";
  return `${percent.toFixed(1)} %`;
}

const LONGEST_KEY = 200;

/** A key for a line of text: of a very long one the start and the end, with how much is left out between them. */
export function shortKey(key: string): string {
  const characters = [...printable(key)];
  if (characters.length <= LONGEST_KEY) return characters.join("");
  const left = characters.length - LONGEST_KEY;
  return `${characters.slice(0, LONGEST_KEY / 2).join("")}… ${formatCount(left)} more characters …${characters.slice(-LONGEST_KEY / 2).join("")}`;
}

/** "id, name, … 4,990 more": the first `most` of a list. */
export function shortList(items: string[], most: number): string {
  const shown = items.slice(0, most).map(shortKey).join(", ");
  return items.length > most ? `${shown}, … ${formatCount(items.length - most)} more` : shown;
}

/**
 * Text from files and services, safe to put on a terminal and on one line: control characters, which could move the
 * cursor or end the line, become escapes such as \x1b.
 */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\r") return "\\r";
    if (character === "\t") return "\\t";
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });
}
