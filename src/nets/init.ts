import { Random } from '../base/random.ts';
import { sizeOf } from '../base/shape.ts';
import type { ZooSettings } from '../experiment/types.ts';
import { type Architecture, leaves, type StateDict } from './architecture.ts';

/** The zoo generator starts every bias here, whatever the weights' distribution. */
const initialBias = 0.01;

/**
 * Draws one weight of a tensor with the given fans. The kaiming and xavier distributions are PyTorch's defaults (gain
 * sqrt(2) and 1, fan-in mode).
 */
function sampler(init: ZooSettings['init'], fanIn: number, fanOut: number, random: Random): () => number {
  const kaiming = Math.sqrt(2 / fanIn);
  const xavier = Math.sqrt(2 / (fanIn + fanOut));
  // A uniform distribution of standard deviation s reaches to sqrt(3) s.
  const wide = (sd: number) => () => random.uniform(-Math.sqrt(3) * sd, Math.sqrt(3) * sd);
  switch (init) {
    case 'uniform':
      return () => random.uniform();
    case 'normal':
      return () => random.normal();
    case 'kaiming-uniform':
      return wide(kaiming);
    case 'kaiming-normal':
      return () => kaiming * random.normal();
    case 'xavier-uniform':
      return wide(xavier);
    case 'xavier-normal':
      return () => xavier * random.normal();
  }
}

/**
 * Initial weights and buffers. Normalisation begins as the identity: gain and variance 1, bias and mean 0. Every parameter
 * has a stream of its own, so that two inits of one seed differ in distribution only.
 */
export function initialWeights(
  architecture: Architecture,
  init: ZooSettings['init'],
  seed: number,
): StateDict {
  const norms = leaves(architecture.layers).filter(
    (layer) => layer.kind === 'batch-norm' || layer.kind === 'layer-norm',
  );
  const gains = new Set(norms.flatMap(({ name }) => [`${name}.weight`, `${name}.running_var`]));
  const zeros = new Set(norms.flatMap(({ name }) => [`${name}.bias`, `${name}.running_mean`]));
  const weights: StateDict = new Map();
  for (const { name, shape } of architecture.state) {
    const values = new Float32Array(sizeOf(shape));
    if (gains.has(name)) values.fill(1);
    else if (shape.length === 1) values.fill(zeros.has(name) ? 0 : initialBias);
    else {
      const field = sizeOf(shape.slice(2));
      const fans = [(shape[1] as number) * field, (shape[0] as number) * field] as const;
      const draw = sampler(init, ...fans, new Random(seed, 'nets', 'init', name));
      for (let i = 0; i < values.length; i++) values[i] = draw();
    }
    weights.set(name, values);
  }
  return weights;
}
