/** A zoo that a SANE was pretrained on, for networks from files: whether they are of its kind, and what is done to them first (Algorithm 2, step i). */
import { join } from 'node:path';
import { Random } from '../base/random.ts';
import { openSafetensors } from '../base/safetensors.ts';
import type { Activation, ArchitectureOptions, Outline, StateDict } from '../nets/architecture.ts';
import { permute } from '../nets/permute.ts';
import { type Recognised, recognise } from '../nets/recognise.ts';
import { getOutline } from '../nets/registry.ts';
import type { Network } from '../zoo/formats/network.ts';
import type { SaneZoo } from './checkpoint.ts';
import type { Standardization } from './standardize.ts';
import { WeightMatching } from './weight-matching.ts';

export class PretrainedZoo {
  private matching: WeightMatching | undefined;

  /** `dir` is the artefact's folder; `known` is null where nothing is known of the zoo. */
  constructor(
    private readonly dir: string,
    private readonly known: SaneZoo | null,
    /** Null: weights are used as they are. */
    readonly standardization: Standardization | null,
  ) {}

  /** Null where nothing says so. */
  get architecture(): string | null {
    return this.known?.architecture ?? null;
  }

  /** What its architecture was built for; null where nothing says so. */
  get options(): ArchitectureOptions | null {
    return this.known?.options ?? null;
  }

  get activation(): Activation | null {
    return this.known?.activation ?? null;
  }

  /** The spread of its training models' embeddings (spread.ts); null where nothing says so. */
  get spread(): number | null {
    return this.known?.embedding_spread ?? null;
  }

  /** Whether its models were aligned. */
  get isAligned(): boolean {
    return (this.known?.reference ?? null) !== null;
  }

  /** The network of these shapes as one of the zoo's kind, with its names; undefined if it is another, or the kind is not known. */
  recognise(shapes: ReadonlyMap<string, readonly number[]>): Recognised | undefined {
    if (!this.known?.options) return undefined;
    const { architecture, options } = this.known;
    const { input, written } = options;
    const found = recognise(shapes, { name: architecture, input, ...(written && { written }) });
    const same = found && sameState(found.architecture, getOutline(architecture, options));
    return same ? found : undefined;
  }

  /** The network with its hidden units in the order nearest to the model that the zoo's are aligned to. It computes the same. */
  async align(network: Network, { architecture, names }: Recognised): Promise<Network> {
    this.matching ??= new WeightMatching(architecture, await this.readReference(architecture));
    const own: StateDict = new Map(
      architecture.state.map(({ name }) => [
        name,
        network.weights.get(names.get(name) as string) as Float32Array,
      ]),
    );
    const { permutations } = await this.matching.match(
      own,
      new Random(0, 'alignment'),
      this.known?.alignment_orders,
    );
    const permuted = permute(architecture, own, permutations);
    const renamed = Array.from(permuted, ([name, values]) => [names.get(name) as string, values] as const);
    return { ...network, weights: new Map([...network.weights, ...renamed]) };
  }

  dispose(): void {
    this.matching?.dispose();
  }

  private async readReference({ state }: Outline): Promise<StateDict> {
    const file = await openSafetensors(join(this.dir, this.known?.reference as string));
    try {
      const weights: StateDict = new Map();
      for (const { name } of state) weights.set(name, await file.readFloats(name));
      return weights;
    } finally {
      await file.close();
    }
  }
}

/** The same tensors, in whatever order. */
function sameState(one: Outline, other: Outline): boolean {
  const texts = ({ state }: Outline) => state.map(({ name, shape }) => `${name} ${shape}`).sort();
  return Bun.deepEquals(texts(one), texts(other));
}
