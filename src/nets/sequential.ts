import type { Architecture, ParameterSpec, PermutationGroup } from './architecture.ts';

/**
 * Completes a chain of layers to an architecture: its parameters in PyTorch's order, and the permutations of its hidden
 * units. Each layer's outputs are permuted together with the next layer's inputs; the last layer's stay.
 */
export function sequential(net: Omit<Architecture, 'parameters' | 'permutations'>): Architecture {
  const parameters: ParameterSpec[] = [];
  const permutations: PermutationGroup[] = [];
  let open: PermutationGroup | undefined;
  for (const layer of net.layers) {
    if (layer.kind !== 'conv2d' && layer.kind !== 'linear') continue;
    const weight = `${layer.name}.weight`;
    const bias = `${layer.name}.bias`;
    const kernel = layer.kind === 'conv2d' ? [layer.kernel, layer.kernel] : [];
    parameters.push({ name: weight, shape: [layer.outputs, layer.inputs, ...kernel] });
    parameters.push({ name: bias, shape: [layer.outputs] });
    open?.axes.push({ parameter: weight, axis: 1 });
    open = {
      name: `P${permutations.length}`,
      size: layer.outputs,
      axes: [
        { parameter: weight, axis: 0 },
        { parameter: bias, axis: 0 },
      ],
    };
    permutations.push(open);
  }
  permutations.pop();
  return { ...net, parameters, permutations };
}
