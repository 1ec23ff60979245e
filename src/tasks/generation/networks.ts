/** Networks given as flat vectors of weights, many at once on the device. */
import { tf } from '../../engine/tf.ts';
import type { Activation, Architecture, StateDict } from '../../nets/architecture.ts';
import { type LabelledImages, populationScores } from '../../nets/population.ts';

/** Networks scored at a time. */
const group = 64;

/** The accuracy of each network on these images, a fraction. Weights that are not finite give chance or less, never an error. */
export async function accuracies(
  network: { architecture: Architecture; activation: Activation },
  models: readonly StateDict[],
  images: LabelledImages,
): Promise<number[]> {
  const result: number[] = [];
  for (let start = 0; start < models.length; start += group) {
    const part = models.slice(start, start + group);
    const tensors = stack(network.architecture, part);
    result.push(...(await populationScores(network, tensors, tensors, images)).accuracies);
    tf.dispose([...tensors.values()]);
  }
  return result;
}

/** Weights and buffers by name, each [models, ...shape]. The caller disposes of them. */
function stack({ state }: Architecture, models: readonly StateDict[]): Map<string, tf.Tensor> {
  return new Map(
    state.map(({ name, shape }) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const all = new Float32Array(models.length * size);
      for (const [m, model] of models.entries()) all.set(model.get(name) as Float32Array, m * size);
      return [name, tf.tensor(all, [models.length, ...shape])];
    }),
  );
}
