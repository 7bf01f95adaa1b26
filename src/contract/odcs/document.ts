import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { MinilakeError } from "../../errors.ts";

/** A value of a YAML document that knows where it stands. */
export type ContractNode = MapNode | ListNode | ScalarNode;

interface Placed {
  /** Of its first character in the text. */
  offset: number;
  /** Where it is in the document: `schema[0].properties[2].name`; "" for the whole. */
  path: string;
}

export interface MapNode extends Placed {
  kind: "map";
  entries: Map<string, { key: Placed; value: ContractNode }>;
}

export interface ListNode extends Placed {
  kind: "list";
  items: ContractNode[];
}

export interface ScalarNode extends Placed {
  kind: "scalar";
  value: string | number | boolean | null;
  /** As it is written, so that 1.10 is not 1.1; of a quoted text what is between the quotes. */
  source: string;
}

/** Deeper than any contract; a document that contains itself ends here. */
const MAX_DEPTH = 40;
/** Nodes after aliases are followed; a few aliases can stand for billions. */
const MAX_NODES = 500_000;

/**
 * Reads the text of a contract. Throws MinilakeError Config with line and column when it is no YAML.
 *
 * file   for messages
 */
export function readDocument(text: string, file: string): { root: ContractNode; lines: LineCounter } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const fail = (offset: number, message: string): never => {
    const { line, col } = lines.linePos(offset);
    throw new MinilakeError("Config", `${file} line ${line}, column ${col}: ${message}`, {
      hint: "YAML is strict about indentation, colons and quotes.",
    });
  };
  const error = document.errors[0];
  if (error) fail(error.pos[0], error.message.replace(/\s+at line \d+[\s\S]*$/, ""));
  return { root: new TreeReader(document, fail).read(document.contents as Node | null, "", 0, 0), lines };
}

class TreeReader {
  readonly #document: Document;
  readonly #fail: (offset: number, message: string) => never;
  #nodes = 0;

  constructor(document: Document, fail: (offset: number, message: string) => never) {
    this.#document = document;
    this.#fail = fail;
  }

  read(node: Node | null, path: string, fallbackOffset: number, depth: number): ContractNode {
    const offset = node?.range?.[0] ?? fallbackOffset;
    if (depth > MAX_DEPTH) this.#fail(offset, `values are nested more than ${MAX_DEPTH} deep`);
    if (++this.#nodes > MAX_NODES) this.#fail(offset, `more than ${MAX_NODES} values, counting what aliases repeat`);
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      return { ...this.read(target ?? null, path, offset, depth + 1), offset };
    }
    if (isMap(node)) {
      const entries: MapNode["entries"] = new Map();
      for (const pair of node.items) {
        const key = pair.key as Node | null;
        const name = isScalar(key) ? String(key.value) : String(key);
        const keyPath = path === "" ? name : `${path}.${name}`;
        const keyOffset = key?.range?.[0] ?? offset;
        const value = this.read(pair.value as Node | null, keyPath, keyOffset, depth + 1);
        entries.set(name, { key: { offset: keyOffset, path: keyPath }, value });
      }
      return { kind: "map", offset, path, entries };
    }
    if (isSeq(node)) {
      const items = node.items.map((item, index) =>
        this.read(item as Node | null, `${path}[${index}]`, offset, depth + 1),
      );
      return { kind: "list", offset, path, items };
    }
    const value = isScalar(node) ? node.value : null;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      const source = typeof value === "string" ? value : (isScalar(node) && node.source) || String(value);
      return { kind: "scalar", offset, path, value, source };
    }
    return { kind: "scalar", offset, path, value: null, source: "" };
  }
}

/** The value of a key, or undefined when the map does not have it. */
export function get(map: MapNode, key: string): ContractNode | undefined {
  return map.entries.get(key)?.value;
}

/** The value of a key that is a text, a number, a truth value. */
export function scalar(map: MapNode, key: string): string | number | boolean | null | undefined {
  const node = get(map, key);
  return node?.kind === "scalar" ? node.value : undefined;
}

export function text(map: MapNode, key: string): string | undefined {
  const value = scalar(map, key);
  return typeof value === "string" ? value : undefined;
}

/** The maps in the list of a key; none when there is no such key. */
export function maps(map: MapNode, key: string): MapNode[] {
  const node = get(map, key);
  return node?.kind === "list" ? node.items.filter((item) => item.kind === "map") : [];
}

export function plain(node: ContractNode): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]));
}
