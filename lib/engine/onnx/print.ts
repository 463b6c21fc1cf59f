import type { Attribute, Graph, Node, Value } from './graph.ts';
import { showType } from './shapes.ts';

/**
 * A graph as text, one node a line, for tests and for people:
 * `resnets.0.conv1/Conv = Conv(x, conv1.weight, conv1.bias) strides=[1,1] : f32[1,64,8,8]`.
 */
export function print(graph: Graph): string {
  const outputs = graph.outputs.map(({ name, value }) => `${name}=${value.name}`);
  return [
    `graph ${graph.name}(${graph.inputs.map((value) => `${value.name}: ${showType(value)}`).join(', ')})`,
    ...graph.nodes.map((node) => `  ${printNode(node)}`),
    `  return ${outputs.join(', ')}`,
  ].join('\n');
}

function printNode(node: Node): string {
  const inputs = node.inputs.map((value) => value?.name ?? '-').join(', ');
  const attributes = Object.entries(node.attributes).map(
    ([key, value]) => ` ${key}=${printAttribute(value)}`,
  );
  const outputs = node.outputs.map((value: Value) => value.name).join(', ');
  return `${outputs} = ${node.op}(${inputs})${attributes.join('')} : ${node.outputs.map(showType).join(', ')}`;
}

function printAttribute(value: Attribute): string {
  if (typeof value === 'object') return `[${value.join(',')}]`;
  return typeof value === 'number' ? String(Number(value.toPrecision(6))) : value;
}
