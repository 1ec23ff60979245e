import { type Architecture, leaves, type ParameterSpec } from './architecture.ts';
import { permutationGroups } from './permutation-groups.ts';
import { outputSizeOf } from './shapes.ts';

/**
 * Completes layers to an architecture: its state in PyTorch's order and the permutations of its hidden units. Throws an error
 * naming the layer if one does not fit the next.
 */
export function derive(
  net: Pick<Architecture, 'name' | 'description' | 'input' | 'classes' | 'layers'>,
): Architecture {
  const outputs = outputSizeOf(net.layers, net.input);
  if (outputs.join() !== `1,1,${net.classes}`) {
    throw new Error(`${net.name} has outputs of ${outputs.join(' x ')} for ${net.classes} classes`);
  }
  const state = leaves(net.layers).flatMap(stateOf);
  const isBuffer = ({ name }: ParameterSpec) => /\.running_(mean|var)$/.test(name);
  return {
    ...net,
    state,
    parameters: state.filter((spec) => !isBuffer(spec)),
    buffers: state.filter(isBuffer),
    permutations: permutationGroups(net.layers, net.input[2]),
  };
}

function stateOf(layer: ReturnType<typeof leaves>[number]): ParameterSpec[] {
  if (layer.kind === 'batch-norm') {
    return ['weight', 'bias', 'running_mean', 'running_var'].map((part) => ({
      name: `${layer.name}.${part}`,
      shape: [layer.channels],
    }));
  }
  if (layer.kind !== 'conv2d' && layer.kind !== 'linear') return [];
  const window = layer.kind === 'conv2d' ? [layer.kernel, layer.kernel] : [];
  const weight = { name: `${layer.name}.weight`, shape: [layer.outputs, layer.inputs, ...window] };
  const bias = { name: `${layer.name}.bias`, shape: [layer.outputs] };
  return layer.kind === 'conv2d' && layer.bias === false ? [weight] : [weight, bias];
}
