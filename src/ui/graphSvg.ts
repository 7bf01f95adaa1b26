import type { GraphEdge, GraphNode, LakeGraph } from "../lake/lakeGraph.ts";

const BOX = { width: 264, height: 64 };
const GAP = { x: 110, y: 140 };
const MARGIN = 24;

interface Placed extends GraphNode {
  x: number;
  y: number;
}

/** A drawing of its own, without scripts, fonts or colours from elsewhere: the data's way on top, what is written beside it below. */
export function renderSvg({ lake, nodes, edges }: LakeGraph): string {
  const placed = place(nodes);
  const width = Math.max(...placed.map(({ x }) => x)) + BOX.width + MARGIN;
  const height = Math.max(...placed.map(({ y }) => y)) + BOX.height + MARGIN;
  const byId = new Map(placed.map((node) => [node.id, node]));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="The lake ${escapeXml(lake)}">
  <defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="9" orient="auto"><path d="M0 0 8 4 0 8z" fill="#555"/></marker></defs>
  <rect width="100%" height="100%" fill="#fff"/>
${edges.map((edge) => line(byId.get(edge.from)!, byId.get(edge.to)!, edge)).join("\n")}
${placed.map(box).join("\n")}
</svg>
`;
}

function place(nodes: GraphNode[]): Placed[] {
  const onTheWay = nodes.filter(({ step }) => step !== undefined).sort((a, b) => a.step! - b.step!);
  const beside = nodes.filter(({ step }) => step === undefined);
  const column = (index: number) => MARGIN + index * (BOX.width + GAP.x);
  // Below, in the middle of what is above.
  const shift = ((onTheWay.length - beside.length) * (BOX.width + GAP.x)) / 2;
  return [
    ...onTheWay.map((node, index) => ({ ...node, x: column(index), y: MARGIN })),
    ...beside.map((node, index) => ({
      ...node,
      x: column(index) + Math.max(0, shift),
      y: MARGIN + BOX.height + GAP.y,
    })),
  ];
}

const COLOURS = { bucket: "#e8f1fb", function: "#fdf0e0", queue: "#f3e8fb" } as const;

function box({ x, y, kind, name, holds }: Placed): string {
  const round = kind === "function" ? 4 : 16;
  const middle = x + BOX.width / 2;
  return `  <g><rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="${round}" fill="${COLOURS[kind]}" stroke="#555"/>
    <text x="${middle}" y="${y + 28}" text-anchor="middle" font-weight="600"${squeeze(name)}>${escapeXml(name)}</text>
    <text x="${middle}" y="${y + 48}" text-anchor="middle" fill="#555">${escapeXml(holds)}</text></g>`;
}

/** A long name is pressed together rather than cut. */
function squeeze(name: string): string {
  return name.length > 30 ? ` textLength="${BOX.width - 16}" lengthAdjust="spacingAndGlyphs"` : "";
}

function line(from: Placed, to: Placed, { what, kind }: GraphEdge): string {
  const isBelow = to.y > from.y;
  const start = isBelow
    ? { x: from.x + BOX.width / 2, y: from.y + BOX.height }
    : { x: from.x + BOX.width, y: from.y + BOX.height / 2 };
  const end = isBelow ? { x: to.x + BOX.width / 2, y: to.y } : { x: to.x, y: to.y + BOX.height / 2 };
  const dashes = kind === "record" ? ' stroke-dasharray="5 4"' : "";
  const weight = kind === "rows" ? 2.5 : 1.2;
  // Where several lines leave one box the words stand apart, and lines of two boxes meet further down.
  const at = isBelow ? 0.32 : 0.5;
  const label = { x: start.x + (end.x - start.x) * at, y: start.y + (end.y - start.y) * at - (isBelow ? 0 : 8) };
  const words = isBelow ? [what] : what.split(", ");
  const text = words
    .map(
      (word, index) =>
        `<tspan x="${label.x}" dy="${index === 0 ? -(words.length - 1) * 14 : 14}">${escapeXml(word)}</tspan>`,
    )
    .join("");
  return `  <path d="M${start.x} ${start.y} L${end.x} ${end.y}" fill="none" stroke="#555" stroke-width="${weight}"${dashes} marker-end="url(#tip)"/>
  <text text-anchor="middle" y="${label.y}" font-size="11" fill="#333" stroke="#fff" stroke-width="3" paint-order="stroke">${text}</text>`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
