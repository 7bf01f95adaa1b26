import { STRING_FORMATS } from "../../stringFormats.ts";
import { COMPACT_DATE, DateGuesser } from "./dateStyles.ts";
import { NumberGuesser } from "./numberStyles.ts";
import { addMiss, isHopeless, type Misses, noMisses } from "./tally.ts";

/** With more different values than this a column is no enumeration. */
const MOST_VALUES = 20;
const LONGEST_VALUE = 60;

/** Formats of strings that are told apart from other text with certainty. */
const TELLTALE_FORMATS = ["uuid", "email", "ipv4", "uri"] as const;

/** What the cells of one column have in common. Memory is bounded, unless its name says that it is a key. */
export class ColumnProfile {
  readonly name: string;
  /** Cells without text. */
  empty = 0;
  /** Cells with text. */
  filled = 0;
  readonly dates = new DateGuesser();
  readonly numbers = new NumberGuesser();
  readonly booleans: Misses = noMisses();
  readonly compactDates: Misses = noMisses();
  /** Undefined once there are too many. */
  values: Map<string, number> | undefined = new Map();
  /** Every value so far, while all are different; undefined when nobody wants to know, or one came twice. */
  #different: Set<string> | undefined;
  readonly #formats = new Set<(typeof TELLTALE_FORMATS)[number]>(TELLTALE_FORMATS);
  readonly #wantsDate: boolean;

  constructor(name: string) {
    this.name = name;
    this.#different = isKeyName(name) ? new Set() : undefined;
    this.#wantsDate = isDateName(name);
  }

  add(cell: string, line: number): void {
    if (cell === "") {
      this.empty++;
      return;
    }
    this.filled++;
    this.dates.add(cell, line);
    this.numbers.add(cell, line);
    if (!isHopeless(this.booleans, this.filled) && !/^(?:true|false)$/i.test(cell)) addMiss(this.booleans, cell, line);
    if (this.#wantsDate && !isHopeless(this.compactDates, this.filled) && !COMPACT_DATE.matches(cell)) {
      addMiss(this.compactDates, cell, line);
    }
    for (const format of this.#formats) if (!isFormat(format, cell)) this.#formats.delete(format);
    if (this.values) {
      this.values.set(cell, (this.values.get(cell) ?? 0) + 1);
      if (this.values.size > MOST_VALUES || cell.length > LONGEST_VALUE) this.values = undefined;
    }
    if (this.#different?.has(cell)) this.#different = undefined;
    this.#different?.add(cell);
  }

  /** The format that every cell has. */
  get format(): (typeof TELLTALE_FORMATS)[number] | undefined {
    return this.filled === 0 ? undefined : [...this.#formats][0];
  }

  /** True when the name is that of a key and every row has a value of its own. */
  get isKey(): boolean {
    return this.#different !== undefined && this.filled > 0 && this.empty === 0;
  }

  get wantsDate(): boolean {
    return this.#wantsDate;
  }
}

function isFormat(format: (typeof TELLTALE_FORMATS)[number], cell: string): boolean {
  const { pattern, maxLength = 2048 } = STRING_FORMATS[format];
  // A colon alone makes a uri of "note: text", which nobody means.
  return cell.length <= maxLength && pattern.test(cell) && (format !== "uri" || cell.includes("://"));
}

/** id, order_id, orderId, transaction-uuid, key. */
function isKeyName(name: string): boolean {
  return /(?:^|[^\p{L}\p{N}])(?:id|uuid|guid|key)$/iu.test(name) || /\p{Ll}(?:Id|ID|Uuid|UUID|Key)$/u.test(name);
}

function isDateName(name: string): boolean {
  return /date|day|^dt|[_-]dt|data|fecha|datum/i.test(name);
}
