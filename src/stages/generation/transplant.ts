/** A trained network for another task: the same weights, and a new classifier where the classes are others (section 5.2). */

import type { Random } from '../../base/random.ts';
import { sizeOf } from '../../base/shape.ts';
import { type Architecture, leaves, type StateDict } from '../../nets/architecture.ts';

/**
 * The weights of `model` for `target`, an architecture of the same name. The last layer is drawn anew where it has another
 * number of classes, uniformly within 1/sqrt(inputs) as PyTorch initialises a linear layer. Throws where another layer differs.
 */
export function transplant(model: StateDict, target: Architecture, random: Random): StateDict {
  const head = leaves(target.layers).findLast((layer) => layer.kind === 'linear');
  const result: StateDict = new Map();
  for (const { name, shape } of target.state) {
    const size = sizeOf(shape);
    const values = model.get(name);
    if (values?.length === size) {
      result.set(name, values);
      continue;
    }
    if (!head || !name.startsWith(`${head.name}.`)) {
      throw new Error(
        `${target.name}: ${name} has ${values?.length ?? 0} numbers in the networks and needs ${size} here: choose a target data set with images of the same size and channels`,
      );
    }
    const bound = 1 / Math.sqrt(head.inputs);
    result.set(
      name,
      Float32Array.from({ length: size }, () => random.uniform(-bound, bound)),
    );
  }
  return result;
}
