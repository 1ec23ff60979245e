/** Trains a population of models together, each as if it were alone, and keeps their weights at the listed epochs. */

import { Random } from '../base/random.ts';
import type { ImageFormat, ImageSet } from '../data/dataset.ts';
import type { Images } from '../data/images.ts';
import { byteValues } from '../data/normalize.ts';
import type { Architecture, StateDict } from '../nets/architecture.ts';
import type { DropoutMasks } from '../nets/dropout.ts';
import { initialWeights } from '../nets/init.ts';
import { type LabelledImages, populationGradients, populationScores } from '../nets/population.ts';
import { oneCycle } from '../tensor/one-cycle.ts';
import {
  Adam,
  type Hyper,
  type Optimizer,
  type OptimizerState,
  type Parameter,
  Sgd,
} from '../tensor/optimizers.ts';
import { tf } from '../tensor/tf.ts';
import { augments } from './augment.ts';
import { AugmentLoader } from './augment-loader.ts';
import type { Member, ZooConfig } from './members.ts';
import type { Checkpoint } from './zoo.ts';

export interface TrainedModel {
  checkpoints: (Checkpoint & { weights: StateDict })[];
  /** Kept epochs at which a weight or loss was not finite. */
  diverged: number[];
}

export interface TrainingData {
  train: LabelledImages;
  test: LabelledImages;
  /** The training images as bytes, which augmentation works on; not needed without. */
  bytes?: { set: ImageSet; dataset: ImageFormat };
}

/** Both splits on the device. The caller disposes of `train` and `test`. */
export function prepareBoth(images: Images): TrainingData {
  return {
    train: prepare(images.train, images),
    test: prepare(images.test, images),
    bytes: { set: images.train, dataset: images.dataset },
  };
}

/** A split on the device, normalised. The caller disposes of it. */
export function prepare(set: ImageSet, { dataset }: Pick<Images, 'dataset'>): LabelledImages {
  const values = byteValues(dataset.normalize);
  const images = new Float32Array(set.images.length);
  for (const [c, ofChannel] of values.entries()) {
    for (let i = c; i < images.length; i += values.length)
      images[i] = ofChannel[set.images[i] as number] as number;
  }
  return {
    images: tf.tensor4d(images, [set.labels.length, ...dataset.shape]),
    labels: tf.tensor1d(Int32Array.from(set.labels), 'int32'),
  };
}

type Scores<Name extends keyof Checkpoint> = Record<Name, number[]>;

/** The models' scores and weights at a kept epoch; numbers by model, weights [M, ...] by parameter. */
export interface KeptEpoch {
  epoch: number;
  scores: Scores<'train_accuracy' | 'test_accuracy' | 'train_loss' | 'test_loss'>;
  /** Null at epoch 0: nothing was trained. */
  running: Scores<'running_train_accuracy' | 'running_train_loss'> | null;
  weights: StateDict;
}

/** Everything that training resumes from. */
export interface TrainingState {
  /** Finished epochs. */
  epoch: number;
  weights: StateDict;
  optimizer: OptimizerState;
  kept: KeptEpoch[];
}

/**
 * A population in training. Its members have optimizer and activation in common; seed, data order, initialisation, learning
 * rate, weight decay and dropout are each model's own.
 */
export class PopulationTraining {
  /** Finished epochs. */
  epoch = 0;
  /** Weights and buffers by name, each with a leading model axis. */
  private readonly variables: Map<string, tf.Variable>;
  private readonly buffers: Map<string, tf.Variable>;
  private readonly optimizer: Optimizer;
  private kept: KeptEpoch[] = [];
  /** Summed losses and counts of right answers [2, M] of this epoch's steps so far, each as the model was before its step. */
  private readonly sums: tf.Variable;
  /** Null where nothing is done to the images. */
  private readonly augmented: AugmentLoader | null;
  private readonly architecture: Architecture;
  private readonly config: ZooConfig;
  private readonly members: readonly Member[];
  private readonly data: TrainingData;

  constructor(
    architecture: Architecture,
    config: ZooConfig,
    members: readonly [Member, ...Member[]],
    data: TrainingData,
    initial: readonly StateDict[] = members.map(({ seed, hyperparameters }) =>
      initialWeights(architecture, hyperparameters.init, seed),
    ),
  ) {
    this.architecture = architecture;
    this.config = config;
    this.members = members;
    this.data = data;
    this.variables = new Map(
      architecture.state.map(({ name, shape }) => {
        const values = concatenate(initial.map((weights) => weights.get(name) as Float32Array));
        return [name, tf.tidy(() => tf.variable(tf.tensor(values, [members.length, ...shape])))] as const;
      }),
    );
    const named = ({ name }: { name: string }) => [name, this.variables.get(name) as tf.Variable] as const;
    this.buffers = new Map(architecture.buffers.map(named));
    const parameters: Parameter[] = architecture.parameters
      .map(named)
      .map(([name, variable]) => ({ name, variable, decay: true }));
    this.augmented = augments(config) ? augmentedImages(config, data, members.length) : null;
    this.sums = tf.tidy(() => tf.variable(tf.zeros([2, members.length]), false));
    const weightDecay = members.map(({ hyperparameters }) => hyperparameters.weight_decay);
    const { optimizer } = members[0].hyperparameters;
    this.optimizer =
      optimizer === 'adam'
        ? new Adam(parameters, { weightDecay })
        : new Sgd(parameters, { weightDecay, momentum: config.momentum });
  }

  /** Mean test accuracy of the models at the last kept epoch. */
  get testAccuracy(): number | undefined {
    const last = this.kept.at(-1)?.scores.test_accuracy;
    return last && last.reduce((sum, value) => sum + value, 0) / last.length;
  }

  /**
   * One epoch for every model: batches of an order shuffled anew, the last of which may be smaller. Keeps the weights at the
   * end if the epoch is listed, and before the first epoch those of the initialisation. `onStep` is awaited after each step and
   * is given how many of the images are done.
   */
  async trainEpoch(onStep: (images: number) => Promise<void> | undefined = () => undefined): Promise<void> {
    if (this.epoch === 0) await this.keepIfListed(null);
    const epoch = this.epoch + 1;
    const count = this.data.train.labels.size;
    const orders = this.members.map(({ seed }) => new Random(seed, 'zoo', 'order', epoch).permutation(count));
    const seeds = this.members.map(({ seed }) => new Random(seed, 'zoo', 'dropout', epoch).bits());
    const { batch_size, epochs } = this.config;
    const perEpoch = Math.ceil(count / batch_size);
    const batchesOf = (step: number) =>
      orders.map((order) => order.subarray(step * batch_size, (step + 1) * batch_size));
    const images = this.augmented?.epoch(
      epoch,
      this.members.map(({ seed }) => seed),
      Array(perEpoch).keys().map(batchesOf),
    );
    tf.tidy(() => this.sums.assign(tf.zerosLike(this.sums)));
    for (let step = 0; step < perEpoch; step++) {
      const pixels = (await images?.next())?.value ?? undefined;
      const hyper = this.schedule(this.epoch * perEpoch + step, epochs * perEpoch);
      this.step(batchesOf(step), pixels, hyper, { start: step * batch_size, seeds });
      await onStep(Math.min(count, (step + 1) * batch_size));
    }
    this.epoch = epoch;
    await this.keepIfListed(this.sums);
  }

  /** Learning rates, and the momentum or beta1 where the schedule has one. */
  private schedule(step: number, total: number): Hyper {
    const rates = this.members.map(({ hyperparameters }) => hyperparameters.learning_rate);
    if (this.config.schedule === 'constant') return { learningRate: rates };
    const { learningRate: share, beta1 } = oneCycle(step, total, 1);
    return { learningRate: rates.map((rate) => rate * share), beta1 };
  }

  /**
   * The batches' images, augmented as `pixels` where these are given, and labels, and where each model's are in them [M, B]. Call inside
   * tf.tidy.
   */
  private batch(
    batches: Int32Array[],
    pixels: Float32Array | undefined,
  ): { data: LabelledImages; order: tf.Tensor2D } {
    const order = concatenate(batches);
    const shape: [number, number] = [batches.length, (batches[0] as Int32Array).length];
    if (!pixels) return { data: this.data.train, order: tf.tensor2d(order, shape, 'int32') };
    const { set, dataset } = this.data.bytes as NonNullable<TrainingData['bytes']>;
    const labels = Int32Array.from(order, (n) => set.labels[n] as number);
    return {
      data: {
        images: tf.tensor4d(pixels, [order.length, ...dataset.shape]),
        labels: tf.tensor1d(labels, 'int32'),
      },
      order: tf.range(0, order.length, 1, 'int32').reshape(shape),
    };
  }

  private step(
    batches: Int32Array[],
    pixels: Float32Array | undefined,
    hyper: Hyper,
    masks: Pick<DropoutMasks, 'start' | 'seeds'>,
  ): void {
    const rates = this.members.map(({ hyperparameters }) => hyperparameters.dropout);
    const dropout = rates.some((rate) => rate > 0) ? { ...masks, rates } : undefined;
    const { activation } = (this.members[0] as Member).hyperparameters;
    tf.tidy(() => {
      const { data, order } = this.batch(batches, pixels);
      const network = { architecture: this.architecture, activation };
      const { losses, correct, gradients } = populationGradients(
        network,
        this.variables,
        this.buffers,
        data,
        order,
        dropout,
      );
      this.optimizer.step(gradients, hyper);
      this.sums.assign(tf.add(this.sums, tf.stack([tf.mul(losses, order.shape[1]), correct])));
    });
  }

  /** `sums` are those of the epoch's steps. */
  private async keepIfListed(sums: tf.Tensor | null): Promise<void> {
    if (!this.config.checkpoints.includes(this.epoch)) return;
    const { activation } = (this.members[0] as Member).hyperparameters;
    const network = { architecture: this.architecture, activation };
    const train = await populationScores(network, this.variables, this.buffers, this.data.train);
    const test = await populationScores(network, this.variables, this.buffers, this.data.test);
    this.kept.push({
      epoch: this.epoch,
      scores: {
        train_accuracy: [...train.accuracies],
        test_accuracy: [...test.accuracies],
        train_loss: [...train.losses],
        test_loss: [...test.losses],
      },
      running: sums && (await this.running(sums)),
      weights: await this.weights(),
    });
  }

  private async running(sums: tf.Tensor): Promise<NonNullable<KeptEpoch['running']>> {
    const means = Array.from(await sums.data(), (sum) => sum / this.data.train.labels.size);
    const models = this.members.length;
    return { running_train_loss: means.slice(0, models), running_train_accuracy: means.slice(models) };
  }

  private async weights(): Promise<StateDict> {
    const weights: StateDict = new Map();
    for (const [name, variable] of this.variables) weights.set(name, await variable.data<'float32'>());
    return weights;
  }

  async state(): Promise<TrainingState> {
    const [weights, optimizer] = [await this.weights(), await this.optimizer.state()];
    return { epoch: this.epoch, weights, optimizer, kept: this.kept };
  }

  /** Resumes from a state of a population of the same members. */
  restore({ epoch, weights, optimizer, kept }: TrainingState): void {
    this.optimizer.restore(optimizer);
    for (const [name, variable] of this.variables) {
      tf.tidy(() => variable.assign(tf.tensor(weights.get(name) as Float32Array, variable.shape)));
    }
    this.epoch = epoch;
    this.kept = kept;
  }

  /** Each member's checkpoints so far. */
  models(): TrainedModel[] {
    return this.members.map((_, m) => {
      const model: TrainedModel = { checkpoints: [], diverged: [] };
      for (const { epoch, scores, running, weights: all } of this.kept) {
        const weights: StateDict = new Map();
        for (const [name, values] of all) {
          const size = values.length / this.members.length;
          weights.set(name, values.slice(m * size, (m + 1) * size));
        }
        const properties = {
          train_accuracy: scores.train_accuracy[m] as number,
          test_accuracy: scores.test_accuracy[m] as number,
          train_loss: scores.train_loss[m] as number,
          test_loss: scores.test_loss[m] as number,
          ...(running && {
            running_train_accuracy: running.running_train_accuracy[m] as number,
            running_train_loss: running.running_train_loss[m] as number,
          }),
        };
        const finite = [...weights.values()].every((values) => values.every(Number.isFinite));
        if (finite && Object.values(properties).every(Number.isFinite)) {
          const notRunning = { running_train_accuracy: null, running_train_loss: null };
          model.checkpoints.push({ epoch, ...notRunning, ...properties, weights });
        } else {
          model.diverged.push(epoch);
        }
      }
      return model;
    });
  }

  dispose(): void {
    this.augmented?.[Symbol.dispose]();
    this.optimizer.dispose();
    tf.dispose([this.sums, ...this.variables.values()]);
  }
}

function augmentedImages(config: ZooConfig, { bytes }: TrainingData, models: number): AugmentLoader {
  if (!bytes) throw new Error('augmentation needs the training images as bytes');
  return new AugmentLoader(bytes.set, bytes.dataset, config, models);
}

function concatenate<T extends Float32Array | Int32Array>(parts: readonly T[]): T {
  const first = parts[0] as T;
  const all = new (first.constructor as new (length: number) => T)(first.length * parts.length);
  for (const [i, part] of parts.entries()) all.set(part, i * first.length);
  return all;
}
