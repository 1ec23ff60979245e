import {
  type Architecture,
  type Leaf,
  leaves,
  normParts,
  type Outline,
  type ParameterSpec,
} from './architecture.ts';
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
  const permutations = permutationGroups(net.layers, net.input);
  return { ...net, ...divided(leaves(net.layers).flatMap(stateOf)), permutations };
}

/** A network of which nothing is known but its state's names and shapes, in order. */
export function outlineOf(name: string, tensors: readonly ParameterSpec[]): Outline {
  const description = 'a network of which only the tensors are known';
  return { name, description, ...divided(tensors), permutations: [] };
}

/** A state, and which of it are parameters and which buffers: running statistics are those of batch normalisation. */
function divided(state: readonly ParameterSpec[]): Pick<Outline, 'state' | 'parameters' | 'buffers'> {
  const isBuffer = ({ name }: ParameterSpec) => /(^|\.)running_(mean|var)$/.test(name);
  return {
    state: [...state],
    parameters: state.filter((spec) => !isBuffer(spec)),
    buffers: state.filter(isBuffer),
  };
}

function stateOf(layer: Leaf): ParameterSpec[] {
  if (layer.kind === 'batch-norm' || layer.kind === 'layer-norm') {
    return normParts[layer.kind].map((part) => ({ name: `${layer.name}.${part}`, shape: [layer.channels] }));
  }
  if (layer.kind !== 'conv2d' && layer.kind !== 'linear') return [];
  const rest =
    layer.kind === 'linear'
      ? [layer.inputs]
      : [layer.inputs / (layer.groups ?? 1), layer.kernel, layer.kernel];
  const weight = { name: `${layer.name}.weight`, shape: [layer.outputs, ...rest] };
  const bias = { name: `${layer.name}.bias`, shape: [layer.outputs] };
  return layer.bias === false ? [weight] : [weight, bias];
}
