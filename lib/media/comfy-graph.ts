import { z } from 'zod';

/** ComfyUI's API graph: nodes by id, whose inputs are values or `[node, output]` links. */
const graphSchema = z.record(
  z.string(),
  z.looseObject({ class_type: z.string(), inputs: z.record(z.string(), z.unknown()) }),
);
type Graph = z.infer<typeof graphSchema>;
type Node = Graph[string];

export interface ComfyFacts {
  prompt?: string;
  negativePrompt?: string;
  seed?: unknown;
  steps?: unknown;
  guidanceScale?: unknown;
  width?: unknown;
  height?: unknown;
  sampler?: string;
  schedule?: string;
  model?: string;
}

/** Links followed from one node to the next; a longer chain is a loop. */
const MAX_DEPTH = 50;

/** What the graph's sampler is fed with; null for what is no graph or has no sampler. */
export function readComfyGraph(json: unknown): ComfyFacts | null {
  const parsed = graphSchema.safeParse(json);
  if (!parsed.success) return null;
  const graph = parsed.data;
  const sampler = Object.values(graph).find(
    ({ inputs }) => 'steps' in inputs && ('seed' in inputs || 'noise_seed' in inputs) && 'positive' in inputs,
  );
  if (sampler === undefined) return null;
  const { inputs } = sampler;
  const value = (name: string) => follow(graph, inputs[name], ['value', 'int', 'float', 'seed', 'number']);
  const latents = search(graph, inputs.latent_image, ({ inputs }) => 'width' in inputs && 'height' in inputs);
  const loader = search(graph, inputs.model, ({ inputs }) => 'ckpt_name' in inputs || 'unet_name' in inputs);
  return {
    prompt: textOf(graph, inputs.positive),
    negativePrompt: textOf(graph, inputs.negative),
    seed: value('seed') ?? value('noise_seed'),
    steps: value('steps'),
    guidanceScale: value('cfg'),
    width: latents?.inputs.width,
    height: latents?.inputs.height,
    sampler: asText(value('sampler_name')),
    schedule: asText(value('scheduler')),
    model: asText(loader?.inputs.ckpt_name ?? loader?.inputs.unet_name),
  };
}

/** The text that reaches a conditioning input. */
function textOf(graph: Graph, link: unknown): string | undefined {
  const encoder = search(graph, link, ({ inputs }) => 'text' in inputs || 'text_g' in inputs);
  return asText(follow(graph, encoder?.inputs.text ?? encoder?.inputs.text_g, ['text', 'string', 'value']));
}

/** A value, also through nodes that only hold one. */
function follow(graph: Graph, input: unknown, names: readonly string[], depth = 0): unknown {
  const node = linked(graph, input);
  if (node === undefined) return Array.isArray(input) ? undefined : input;
  const name = names.find((name) => name in node.inputs);
  return name === undefined || depth > MAX_DEPTH
    ? undefined
    : follow(graph, node.inputs[name], names, depth + 1);
}

/** The first node that fits, going upstream along every link. */
function search(graph: Graph, input: unknown, fits: (node: Node) => boolean): Node | undefined {
  const seen = new Set<Node>();
  let front = [linked(graph, input)];
  for (let depth = 0; depth < MAX_DEPTH && front.length > 0; depth++) {
    const nodes = front.filter((node) => node !== undefined && !seen.has(node)) as Node[];
    const found = nodes.find(fits);
    if (found !== undefined) return found;
    for (const node of nodes) seen.add(node);
    front = nodes.flatMap(({ inputs }) => Object.values(inputs).map((value) => linked(graph, value)));
  }
  return undefined;
}

function linked(graph: Graph, input: unknown): Node | undefined {
  if (!Array.isArray(input) || input.length !== 2) return undefined;
  const id = String(input[0]);
  return Object.hasOwn(graph, id) ? graph[id] : undefined;
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
