import type { LakeGraph } from "../lake/lakeGraph.ts";

const SHAPES = { bucket: ["[(", ")]"], function: ["[[", "]]"], queue: ["([", "])"] } as const;
const ARROWS = { event: "-->", rows: "==>", record: "-.->" } as const;

/** A flow chart that GitHub and many others draw. https://mermaid.js.org/syntax/flowchart.html */
export function renderMermaid({ nodes, edges }: LakeGraph): string {
  const lines = ["flowchart LR"];
  for (const { id, kind, name, holds } of nodes) {
    const [open, close] = SHAPES[kind];
    lines.push(`  ${id}${open}"${name}<br>${holds}"${close}`);
  }
  for (const { from, to, what, kind } of edges) lines.push(`  ${from} ${ARROWS[kind]}|${what}| ${to}`);
  return lines.join("\n");
}
