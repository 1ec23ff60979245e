/** New networks from trained ones without an autoencoder: what samples of embeddings are to be compared with (Zeng et al. 2026). */
import type { Random } from '../base/random.ts';
import type { Outline, StateDict } from '../nets/architecture.ts';
import { permute } from '../nets/permute.ts';
import { WeightMatching } from './weight-matching.ts';

/**
 * The network with Gaussian noise on its parameters, w + strength s e with e ~ N(0, 1) for each number and s the root mean square of the parameter
 * that it belongs to. Running statistics stay as they are.
 */
export function withNoise(
  { parameters }: Outline,
  network: StateDict,
  strength: number,
  random: Random,
): StateDict {
  const result: StateDict = new Map(network);
  for (const { name } of parameters) {
    const values = network.get(name) as Float32Array;
    const squares = values.reduce((sum, w) => sum + w * w, 0);
    const sd = strength * Math.sqrt(squares / values.length);
    const noise = random.normals(values.length);
    result.set(
      name,
      values.map((w, i) => w + sd * (noise[i] as number)),
    );
  }
  return result;
}

/** The mean of the networks, weights and running statistics, each aligned to the first by weight matching. */
export async function averageOf(
  architecture: Outline,
  networks: readonly StateDict[],
  random: Random,
): Promise<StateDict> {
  const [first, ...others] = networks as [StateDict, ...StateDict[]];
  const matching = new WeightMatching(architecture, first);
  const aligned = [first];
  for (const other of others) {
    const { permutations } = await matching.match(other, random);
    aligned.push(permute(architecture, other, permutations));
  }
  matching.dispose();
  return new Map(
    architecture.state.map(({ name }) => {
      const all = aligned.map((network) => network.get(name) as Float32Array);
      return [name, (all[0] as Float32Array).map((_, i) => meanOf(all, i))];
    }),
  );
}

const meanOf = (all: readonly Float32Array[], i: number) =>
  all.reduce((sum, values) => sum + (values[i] as number), 0) / all.length;
