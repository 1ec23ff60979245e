/**
 * New networks from trained ones by a flow over their principal components, without an autoencoder: DeepWeightFlow (Gupta et al., ICLR 2026,
 * arXiv 2601.05052), for comparison with samples of embeddings. Settings are those of its released configurations for small networks, but that
 * there the noise has a standard deviation of 0.01, is drawn once for each network, and components are not standardised.
 */
import type { Report } from '../../base/progress.ts';
import { Random } from '../../base/random.ts';
import type { Outline, StateDict } from '../../nets/architecture.ts';
import { flatten, unflatten } from '../tokenize.ts';
import { componentsOf, meanOf } from './components.ts';
import { carry, type MatchingSettings, matchFlow } from './matching.ts';
import { VelocityNetwork } from './velocity.ts';

export interface FlowSettings extends MatchingSettings {
  /** Principal components; null: all there are. */
  components: number | null;
  width: number;
  layers: number;
  /** Steps of the integration. */
  ode_steps: number;
}

/** Fewer networks have no spread in more than one direction. */
const leastNetworks = 3;

/**
 * As many new networks: the flow is trained on the standardised components of all parameters, as they are aligned, and carries normal noise to new
 * ones. Running statistics, which batch norm's conditioning refreshes, are the networks' means. Throws if there are fewer than three networks, or
 * if they are all the same.
 */
export async function networksByFlow(
  { name, parameters, buffers, state }: Outline,
  networks: readonly StateDict[],
  count: number,
  settings: FlowSettings & { seed: number },
  report?: Report,
): Promise<StateDict[]> {
  if (networks.length < leastNetworks) {
    throw new Error(
      `method flow learns how networks differ, and the zoo has ${networks.length} prompts: give it at least ${leastNetworks}, or take flow out of generation.methods`,
    );
  }
  const { components, width, layers, ode_steps, seed } = settings;
  const { scores, vectorOf } = componentsOf(
    networks.map((network) => flatten({ name, state: parameters }, network)),
    components,
  );
  const size = (scores[0] as Float64Array).length;
  if (size === 0) {
    throw new Error(
      'method flow learns how networks differ, and the prompts are all the same: take flow out of generation.methods',
    );
  }
  const velocity = new VelocityNetwork({ size, width, layers }, seed);
  try {
    await matchFlow(velocity, scores, settings, new Random(seed, 'generation', 'flow', 'training'), report);
    // Every network has a stream of its own.
    const noise = Array.from({ length: count }, (_, i) =>
      new Random(seed, 'generation', 'flow', i).normals(size),
    );
    const drawn = await carry(velocity, noise, ode_steps);
    const running = meanOf(networks.map((network) => flatten({ name, state: buffers }, network)));
    const means = unflatten({ state: buffers }, Float32Array.from(running));
    return drawn.map((one) => {
      const weights = unflatten({ state: parameters }, vectorOf(one));
      return new Map(state.map(({ name }) => [name, (weights.get(name) ?? means.get(name)) as Float32Array]));
    });
  } finally {
    velocity.dispose();
  }
}
