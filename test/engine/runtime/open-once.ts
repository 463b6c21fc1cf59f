// Run by runtime.test.ts as a second process: opens the test network through a packed cache and prints the first outputs.
import { openSafetensors } from '../../../lib/engine/checkpoint/safetensors.ts';
import { weightsOf } from '../../../lib/engine/checkpoint/weight-map.ts';
import { createRuntime } from '../../../lib/engine/runtime/runtime.ts';
import { input, network } from './support.ts';

const [weightsPath = '', directory = ''] = process.argv.slice(2);
const runtime = await createRuntime({ device: 'cpu', cache: { directory, budgetBytes: 1e9 } });
const weights = weightsOf(weightsPath, [await openSafetensors(weightsPath)]);
const session = await runtime.open(network(weights));
const { y } = await session.run(input());
process.stdout.write(JSON.stringify([...(y?.data.subarray(0, 8) ?? [])]));
