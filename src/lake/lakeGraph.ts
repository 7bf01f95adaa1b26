import { bucketArn, type LakeDefinition, queueArn, type StageDefinition } from "./definition.ts";
import type { PolicyStatement } from "./policies.ts";

export interface GraphNode {
  id: string;
  kind: "bucket" | "function" | "queue";
  /** The resource's own name. */
  name: string;
  /** What it is for, in a few words. */
  holds: string;
  /** On the way of the data, left to right; undefined beside it. */
  step: number | undefined;
}

export interface GraphEdge {
  from: string;
  to: string;
  what: string;
  /** Rows as they flow through the layers, or everything else that is written. */
  kind: "event" | "rows" | "record";
}

export interface LakeGraph {
  lake: string;
  nodes: GraphNode[];
  edges: GraphEdge[];
}

const HOLDS = {
  raw: "files as received",
  trusted: "rows that keep the contract",
  curated: "rows by day",
  quarantine: "rejected rows, with reasons",
  control: "receipts",
} as const;

/**
 * The lake as it is defined: what an event starts, and what each function may write according to its role's policy. A bucket that
 * no policy lets a function write to has no arrow.
 */
export function lakeGraph(definition: LakeDefinition): LakeGraph {
  const { stages, bucketDefinitions, deadLetterQueue } = definition;
  const way = [stages[0]!.sourceBucket, ...stages.flatMap((stage) => [stage.functionName, stage.targetBucket])];
  const step = (name: string) => (way.includes(name) ? way.indexOf(name) : undefined);
  const nodes: GraphNode[] = [
    ...bucketDefinitions.map(
      ({ layer, name }): GraphNode => ({ id: layer, kind: "bucket", name, holds: HOLDS[layer], step: step(name) }),
    ),
    ...stages.map(
      ({ name, functionName }): GraphNode => ({
        id: name,
        kind: "function",
        name: functionName,
        holds: `handler ${name}.handler`,
        step: step(functionName),
      }),
    ),
    { id: "deadLetters", kind: "queue", name: deadLetterQueue, holds: "events given up", step: undefined },
  ];
  return { lake: definition.name, nodes, edges: stages.flatMap((stage) => edgesOf(definition, stage)) };
}

function edgesOf(definition: LakeDefinition, stage: StageDefinition): GraphEdge[] {
  const layerOf = (bucket: string) => definition.bucketDefinitions.find(({ name }) => name === bucket)!.layer;
  const events = stage.events.map((event) => event.replace(/^s3:|:\*$/g, "")).join(", ");
  const edges: GraphEdge[] = [{ from: layerOf(stage.sourceBucket), to: stage.name, what: events, kind: "event" }];
  for (const { layer, name } of definition.bucketDefinitions) {
    if (!stage.policy.Statement.some((each) => allows(each, "s3:PutObject", bucketArn(definition, name)))) continue;
    const isTarget = name === stage.targetBucket;
    const what = isTarget ? "rows" : layer === "quarantine" ? "rejected rows" : "receipts";
    edges.push({ from: stage.name, to: layer, what, kind: isTarget ? "rows" : "record" });
  }
  if (stage.policy.Statement.some((each) => allows(each, "sqs:SendMessage", queueArn(definition)))) {
    const what = `after ${stage.maxRetries + 1} failed tries`;
    edges.push({ from: stage.name, to: "deadLetters", what, kind: "record" });
  }
  return edges;
}

function allows({ Action, Resource = [] }: PolicyStatement, action: string, arn: string): boolean {
  return (
    [Action].flat().includes(action) && [Resource].flat().some((each) => each === arn || each.startsWith(`${arn}/`))
  );
}
