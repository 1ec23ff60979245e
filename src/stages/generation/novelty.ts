/** The novelty of networks, as records: measured before any fine-tuning, against the training networks of the prompts' zoo at the prompts' epoch. */
import { Random } from '../../base/random.ts';
import type { Architecture, StateDict } from '../../nets/architecture.ts';
import { type Compared, largestOverlap, nearestDistances } from '../../sane/novelty.ts';
import type { MetricRecord } from '../result.ts';
import type { Method } from './methods.ts';

/** Training networks whose own nearest neighbours are the unit of distances: more would take long and add little. */
const measured = 100;

export interface Judged extends Compared {
  id: string;
  method: Method;
}

export interface Novelty {
  architecture: Architecture;
  training: readonly StateDict[];
  /** Training networks that each is matched with. */
  matches: number;
  seed: number;
  /** Which of the test images networks get wrong. */
  errorsOf(models: readonly StateDict[]): Promise<Uint8Array[]>;
}

/**
 * Of each network `nearest-distance`, its distance to the nearest training network over the mean distance of a training network to the nearest other
 * one, and `error-overlap`, the largest overlap of its errors with those of a training network. A training network is not compared with itself.
 * Networks with weights that are not finite have no distance, and where all training networks are the same none has.
 */
export async function noveltyRecords(
  networks: readonly Judged[],
  { architecture, training, matches, seed, errorsOf }: Novelty,
): Promise<MetricRecord[]> {
  const among = (name: string) => (network: number, other: number) =>
    new Random(seed, 'generation', 'novelty', name, network, other);
  const own = training.slice(0, measured).map((weights, i) => ({ weights, own: i }));
  const apart = await nearestDistances(architecture, own, training, matches, among('training'));
  const unit = apart.reduce((sum, distance) => sum + distance, 0) / apart.length;
  const distances = await nearestDistances(architecture, networks, training, matches, among('samples'));
  const theirs = await errorsOf(training);
  const ours = await errorsOf(networks.map(({ weights }) => weights));
  return networks.flatMap(({ id, method, own }, i) => {
    const labels = { split: 'test', method, epoch: 0 };
    const record = (metric: string, value: number): MetricRecord => ({
      ...{ metric, labels, value, seeded: true, sample: id },
    });
    const distance = (distances[i] as number) / unit;
    return [
      ...(Number.isFinite(distance) ? [record('nearest-distance', distance)] : []),
      record('error-overlap', largestOverlap(ours[i] as Uint8Array, own, theirs)),
    ];
  });
}
