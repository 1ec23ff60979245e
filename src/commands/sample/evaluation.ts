/** `exp sample --evaluate`: sampled networks as classifiers of a data set's images, of which the best are kept. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../base/random.ts';
import { sizeOf } from '../../base/shape.ts';
import { FormatError } from '../../base/source.ts';
import { type Images, loadImages } from '../../data/images.ts';
import { prepareImages } from '../../data/prepare.ts';
import { paperSettings } from '../../experiment/resolve.ts';
import type { DataSettings } from '../../experiment/types.ts';
import { accuracies, type Conditioning, condition } from '../../nets/accuracy.ts';
import type { Activation, StateDict } from '../../nets/architecture.ts';
import type { LabelledImages, Network } from '../../nets/population.ts';
import { type Recognised, recognise } from '../../nets/recognise.ts';
import { withLayers } from '../../nets/registry.ts';
import type { SampledNetwork } from '../../sane/decode-networks.ts';
import type { PreparedNetwork } from '../../sane/pretrained.ts';
import { catalogue } from '../../stages/catalogue.ts';
import { stages } from '../../stages/registry.ts';
import { tf } from '../../tensor/tf.ts';
import { prepare } from '../../zoo/train.ts';
import { datasetAt } from '../dataset-at.ts';

/** Training images that candidates are chosen by, at most; the test images are for the report alone. */
const choosingImages = 10_000;

/** Numbers of the networks that are evaluated at a time: 256 MiB. */
const numbersTogether = 2 ** 26;

export interface EvaluatedNetwork extends SampledNetwork {
  /** Fractions: on the images that it was chosen by, and on the test images. */
  accuracy: { train: number; test: number };
}

export interface EvaluationOptions {
  /** A name, or the path of a folder of images. */
  dataset: string;
  /** Undefined: that of the SANE's zoo, or else of the paper's networks of this architecture and data set. */
  activation: Activation | undefined;
  dataDir: string | undefined;
  seed: number;
}

/** What of a prompt says how networks like it are computed. */
interface Prompt {
  network: Pick<PreparedNetwork['network'], 'path' | 'shapes'>;
  zoo: Pick<PreparedNetwork['zoo'], 'activation'>;
  recognised?: PreparedNetwork['recognised'];
}

export class Evaluation {
  private constructor(
    private readonly network: Network,
    /** The samples' own names, by the architecture's. */
    private readonly names: ReadonlyMap<string, string>,
    private readonly train: LabelledImages,
    private readonly test: LabelledImages,
    private readonly conditioning: Conditioning,
    private readonly seed: number,
    /** In words, for the screen. */
    readonly description: string,
  ) {}

  /**
   * Loads the images that networks like this prompt are for: of an architecture that the program knows, or one whose layers are kept with the
   * SANE. Throws a FormatError that names its file where they are no classifiers of such images.
   */
  static async open(
    { network: { path, shapes }, zoo, recognised = recognise(shapes) }: Prompt,
    { dataset, activation, dataDir, seed }: EvaluationOptions,
  ): Promise<Evaluation> {
    if (recognised === undefined || !('layers' in recognised.architecture)) {
      throw new FormatError(
        `${path}: a network of no known architecture, which cannot classify images here; leave out --evaluate, or pretrain the SANE on a zoo whose layers are written under architectures`,
      );
    }
    const { name } = recognised.architecture;
    const { written } = recognised.options;
    const own = datasetAt(dataset);
    const paper = paperSettings(catalogue)({ architecture: name, dataset: own.name });
    const { data, generation } = paper;
    const images = await imagesOf(own, dataDir, data);
    const { shape } = images.dataset;
    const found = recognise(shapes, { name, input: shape, ...(written && { written }) });
    if (!found) {
      throw new FormatError(
        `${path}: this ${name} is not for images of ${shape.join('x')}, as those of ${dataset} are here; give --evaluate the data set that it was trained on`,
      );
    }
    checkClasses(path, found, images);
    const random = new Random(seed, 'sample', 'images');
    const order = random.permutation(images.train.labels.length).subarray(0, choosingImages);
    const chosen = prepareImages(images.train, shape, { steps: [], shape }, order);
    const architecture = withLayers(found.architecture, '--evaluate');
    const network = { architecture, activation: activation ?? zoo.activation ?? paper.zoo.activation };
    return new Evaluation(
      network,
      found.names,
      prepare(chosen, images),
      prepare(images.test, images),
      { batches: generation.conditioning_batches, size: generation.conditioning_batch_size },
      seed,
      `${name} with ${network.activation} on ${order.length} training images of ${dataset}`,
    );
  }

  /** The test accuracy of each network as it is. */
  testAccuracies(models: readonly ReadonlyMap<string, Float32Array>[]): Promise<number[]> {
    return accuracies(
      this.network,
      models.map((model) => this.stateOf(model)),
      this.test,
    );
  }

  /**
   * The best `count` of the networks by accuracy on the training images, the best first; of equals the earlier one. Batch-norm statistics
   * are refreshed first, with as many batches as in the authors' code.
   */
  async best(networks: AsyncIterable<SampledNetwork>, count: number): Promise<EvaluatedNetwork[]> {
    let kept: { one: SampledNetwork; state: StateDict; train: number }[] = [];
    let group: SampledNetwork[] = [];
    const evaluate = async () => {
      const given = group.map(({ weights }) => this.stateOf(weights));
      const random = new Random(this.seed, 'sample', 'conditioning');
      const states = await condition(this.network, given, this.train.images, this.conditioning, random);
      const scores = await accuracies(this.network, states, this.train);
      const scored = group.map((one, i) => ({
        one,
        state: states[i] as StateDict,
        train: scores[i] as number,
      }));
      kept = [...kept, ...scored].sort((a, b) => b.train - a.train).slice(0, count);
      group = [];
    };
    for await (const one of networks) {
      group.push(one);
      if (group.length === this.together) await evaluate();
    }
    if (group.length > 0) await evaluate();
    const test = await accuracies(
      this.network,
      kept.map(({ state }) => state),
      this.test,
    );
    return kept.map(({ one, state, train }, i) => ({
      ...one,
      weights: new Map([...one.weights, ...this.inOwnNames(state)]),
      accuracy: { train, test: test[i] as number },
    }));
  }

  /** Networks that are computed at a time: together they take little longer than one, where memory has room. */
  private get together(): number {
    const size = this.network.architecture.state.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    return Math.max(1, Math.min(32, Math.floor(numbersTogether / size)));
  }

  dispose(): void {
    tf.dispose([this.train, this.test].flatMap((set) => Object.values(set)));
  }

  private stateOf(model: ReadonlyMap<string, Float32Array>): StateDict {
    return new Map(Array.from(this.names, ([name, own]) => [name, model.get(own) as Float32Array]));
  }

  private inOwnNames(state: StateDict): StateDict {
    return new Map(Array.from(this.names, ([name, own]) => [own, state.get(name) as Float32Array]));
  }
}

/** The images of a data set, prepared as this architecture's networks of the paper saw them. */
async function imagesOf(
  { name, folder }: ReturnType<typeof datasetAt>,
  dataDir: string | undefined,
  settings: DataSettings,
): Promise<Images> {
  const dir = await mkdtemp(join(tmpdir(), 'exp-sample-'));
  try {
    const stage = await (stages.dataset as NonNullable<typeof stages.dataset>).load();
    const { train_images: most } = settings;
    const config = {
      ...{ ...settings, dataset: name, train_images: most && Math.min(most, choosingImages) },
      ...(folder && { images: folder.content, folder: folder.path }),
    };
    await stage.execute({ config, inputs: {}, dir, dataDir, report: () => undefined });
    return await loadImages(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

function checkClasses(path: string, { options }: Recognised, { dataset }: Images): void {
  if (options.classes === dataset.classes) return;
  throw new FormatError(
    `${path}: a network for ${options.classes} classes, and ${dataset.name} has ${dataset.classes}: give --evaluate the data set that it was trained on`,
  );
}
