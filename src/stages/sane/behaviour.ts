/** The behaviour loss of a zoo's networks, on the images that they were trained on. */
import type { ImageFormat } from '../../data/dataset.ts';
import { loadImages } from '../../data/images.ts';
import type { Activation } from '../../nets/architecture.ts';
import type { Network } from '../../nets/population.ts';
import { withLayers } from '../../nets/registry.ts';
import { type BehaviourLoss, behaviourLoss } from '../../sane/behaviour.ts';
import type { TokenLayout } from '../../sane/tokenize.ts';
import type { SampleSet } from '../../sane/zoo-samples.ts';
import type { tf } from '../../tensor/tf.ts';
import { prepare } from '../../zoo/train.ts';
import type { Zoo } from '../../zoo/zoo.ts';

const turnOff = 'set sane.beta to null or 1';

/** How all of a zoo's networks are computed. Throws where they differ in their activation, or see other images than these. */
export function networkFor(
  { dir, architecture }: Pick<Zoo, 'dir' | 'architecture'>,
  activations: readonly Activation[],
  { name, shape }: Pick<ImageFormat, 'name' | 'shape'>,
): Network {
  const network = withLayers(architecture, 'the behaviour loss');
  const [activation, ...others] = new Set(activations);
  if (others.length > 0) {
    throw new Error(
      `zoo ${dir}: its networks have the activations ${[activation, ...others].join(', ')}, and the behaviour loss computes all with one: ${turnOff}`,
    );
  }
  if (String(network.input) !== String(shape)) {
    throw new Error(
      `zoo ${dir}: the networks see images of ${network.input.join(' x ')}, and those of ${name} are ${shape.join(' x ')} here, which the behaviour loss asks about: set the block data as it was for the zoo, or ${turnOff}`,
    );
  }
  return { architecture: network, activation: activation as Activation };
}

/** The loss on the training images in folder `dataset`, `queries` of them for a batch; the caller disposes of the images. */
export async function prepareBehaviour(
  { zoo, layout, sets }: { zoo: Zoo; layout: TokenLayout; sets: { train: SampleSet } },
  dataset: string,
  queries: number,
): Promise<{ loss: BehaviourLoss; images: tf.Tensor4D }> {
  const all = await loadImages(dataset);
  const activations = zoo.manifest.models.map(({ hyperparameters }) => hyperparameters.activation);
  const network = networkFor(zoo, activations, all.dataset);
  const { images, labels } = prepare(all.train, all);
  labels.dispose();
  const { standardization } = sets.train;
  return { loss: behaviourLoss({ network, layout, standardization, images, queries }), images };
}
