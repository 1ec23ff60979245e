/**
 * Pretraining of SANE (Algorithm 1, step v) and of the hyper-representation: AdamW under a one-cycle schedule on windows in two
 * views. Every random draw has a stream named by epoch and batch, so that an interrupted training resumes to the same
 * numbers.
 */

import type { Report } from '../base/progress.ts';
import { Random } from '../base/random.ts';
import type { SaneSettings } from '../experiment/types.ts';
import { oneCycle } from '../tensor/one-cycle.ts';
import { AdamW, type OptimizerState } from '../tensor/optimizers.ts';
import { tf } from '../tensor/tf.ts';
import type { Autoencoder } from './autoencoder.ts';
import type { BehaviourLoss } from './behaviour.ts';
import { evaluate, evaluationRequests, nextViews, viewTensors } from './evaluate.ts';
import { contrastiveLoss, type LossSettings, reconstructionLoss } from './loss.ts';
import type { ViewLoader } from './view-loader.ts';
import type { ViewRequest } from './view-thread.ts';
import { type TwoViews, viewSettings } from './views.ts';

/** Averages over an epoch. */
export interface EpochLosses {
  epoch: number;
  loss: number;
  reconstruction: number;
  contrast: number;
  /** Of trainings that have one. */
  behaviour?: number;
  /** Reconstruction loss and explained variance of the validation models, without noise or permutation. */
  validation_reconstruction: number;
  validation_explained_variance: number;
}

/** Settings at their default may be left out where keys were made before there were any. */
export type PretrainConfig = Omit<
  SaneSettings,
  'alignment' | 'alignment_orders' | 'loss_normalization' | 'beta' | 'queries'
> &
  Partial<Pick<SaneSettings, 'beta' | 'queries'>> &
  LossSettings & { seed: number };

/** What an interrupted training needs to resume. */
export interface PretrainState {
  history: EpochLosses[];
  optimizer: OptimizerState;
  /** Where losses are divided by their values on the first batch: these. */
  scales?: Losses | undefined;
}

/** Batches of one epoch: sample numbers, each sample windows_per_sample times, in rounds so that a batch repeats none if it can. */
export function epochBatches(
  samples: number,
  config: PretrainConfig,
  epoch: number,
  block: Autoencoder['block'] = 'sane',
): Int32Array[] {
  const order = new Int32Array(samples * config.windows_per_sample);
  for (let round = 0; round < config.windows_per_sample; round++) {
    order.set(new Random(config.seed, block, 'order', epoch, round).permutation(samples), round * samples);
  }
  // The last, incomplete batch is left out: the contrastive loss depends on the batch size.
  return Array.from({ length: Math.floor(order.length / config.batch_size) }, (_, i) =>
    order.subarray(i * config.batch_size, (i + 1) * config.batch_size),
  );
}

/** The parts of the loss, in the order in which they are kept. */
const lossParts = ['reconstruction', 'contrast', 'behaviour'] as const;

type Losses = Record<(typeof lossParts)[number], number>;

/**
 * The weights of the parts: L = (1 - gamma) L_rec + gamma L_c. With a beta, L_rec is beta times the error of the weights and 1 - beta times the
 * behaviour loss, and each part is divided by its value on the first batch (Meynent et al. 2025).
 */
function weightsOf({ gamma, beta = null }: PretrainConfig, scales?: Losses): Losses {
  const structure = beta ?? 1;
  const weights = {
    reconstruction: (1 - gamma) * structure,
    contrast: gamma,
    behaviour: (1 - gamma) * (1 - structure),
  };
  if (!scales) return weights;
  const scaled = lossParts.map((part) => [part, weights[part] && weights[part] / scales[part]]);
  return Object.fromEntries(scaled) as Losses;
}

interface Batch {
  views: TwoViews;
  /** The behaviour loss on the images of this batch, the same whenever it is called; undefined where it has no weight. */
  behaviour?: ((...tokens: [target: tf.Tensor3D, output: tf.Tensor3D]) => tf.Scalar) | undefined;
}

/** The parts of a batch's loss. One whose weight is 0 is not computed and reads 0. */
function losses(
  model: Autoencoder,
  { views, behaviour }: Batch,
  config: PretrainConfig,
  weights: Losses,
): tf.Scalar[] {
  const { tokens, mask, positions } = viewTensors(views, config.token_size);
  const z = model.encode(tokens, positions);
  const zero = () => tf.scalar(0);
  const decoded = weights.reconstruction + weights.behaviour > 0 ? model.decode(z, positions) : undefined;
  const values: Record<keyof Losses, tf.Scalar> = {
    reconstruction:
      decoded && weights.reconstruction > 0 ? reconstructionLoss(tokens, decoded, mask, config) : zero(),
    contrast: weights.contrast > 0 ? contrastiveLoss(model.project(z), config.temperature) : zero(),
    behaviour: decoded && behaviour ? behaviour(tokens, decoded) : zero(),
  };
  return lossParts.map((part) => values[part]);
}

/** The values of a batch's losses, without a gradient. */
async function lossesOf(
  model: Autoencoder,
  batch: Batch,
  config: PretrainConfig,
  weights: Losses,
): Promise<Losses> {
  const values = tf.tidy(() => tf.stack(losses(model, batch, config, weights)));
  const numbers = await values.data();
  values.dispose();
  return Object.fromEntries(lossParts.map((part, i) => [part, numbers[i]])) as unknown as Losses;
}

/** Scales gradients down to a global norm of at most `limit`; without reading the norm back. */
function clip(gradients: tf.Tensor[], limit: number): tf.Tensor[] {
  const squares = gradients.map((gradient) => tf.sum(tf.square(gradient)) as tf.Scalar);
  const norm = tf.sqrt(tf.addN(squares));
  const scale = tf.minimum(1, tf.div(limit, tf.add(norm, 1e-6)));
  return gradients.map((gradient) => tf.mul(gradient, scale));
}

/**
 * Gradients of one batch in the order of model.trainable, zeros where the loss does not depend on one, and its losses [4]
 * (total, reconstruction, contrast, behaviour) as a tensor. Call inside tf.tidy.
 */
export function batchGradients(
  model: Autoencoder,
  batch: Batch,
  config: PretrainConfig,
  weights = weightsOf(config),
) {
  const variables = model.trainable.map(({ variable }) => variable);
  let parts: tf.Tensor | undefined;
  const { grads } = tf.variableGrads(() => {
    const values = losses(model, batch, config, weights);
    const weighted = values.map((value, i) => tf.mul(value, weights[lossParts[i] as keyof Losses]));
    const total = tf.addN(weighted) as tf.Scalar;
    parts = tf.keep(tf.stack([total, ...values]));
    return total;
  }, variables);
  const gradients = variables.map((variable) => grads[variable.name] ?? tf.zerosLike(variable));
  return { gradients, parts: parts as tf.Tensor };
}

/** All batches from this epoch on: those of training, and after each epoch those of validation. */
function* requests(
  model: Autoencoder,
  samples: number,
  validation: Parameters<typeof evaluationRequests>[1],
  config: PretrainConfig,
  firstEpoch: number,
): Generator<ViewRequest> {
  const settings = viewSettings(config);
  for (let epoch = firstEpoch; epoch < config.epochs; epoch++) {
    for (const [b, batch] of epochBatches(samples, config, epoch, model.block).entries()) {
      yield { set: 'train', samples: batch, settings, random: [config.seed, model.block, 'batch', epoch, b] };
    }
    yield* evaluationRequests(model, validation, config);
  }
}

/**
 * Trains `model` in place for config.epochs on the sets `train` and `val` of a loader and returns the losses of each epoch. `resume` continues after the epochs in its
 * history (the model must have the weights of that moment). `onEpoch` may save the state; it is awaited. `behaviour` is given where, and only where, config.beta is below 1.
 * Throws if there are fewer windows than a batch, or if the loss is not finite.
 */
export async function pretrain(
  model: Autoencoder,
  loader: ViewLoader,
  config: PretrainConfig,
  options: {
    resume?: PretrainState | undefined;
    behaviour?: BehaviourLoss | undefined;
    report?: Report;
    onEpoch?: (state: () => Promise<PretrainState>, last: boolean) => Promise<void>;
  } = {},
): Promise<EpochLosses[]> {
  const samples = loader.size('train');
  const windows = samples * config.windows_per_sample;
  const perEpoch = Math.floor(windows / config.batch_size);
  if (perEpoch === 0) {
    throw new Error(
      `${model.block}.batch_size is ${config.batch_size}, but an epoch has only ${windows} windows: lower it`,
    );
  }
  const { behaviour: asks } = options;
  if (asks === undefined && weightsOf(config).behaviour > 0) {
    throw new Error(`${model.block}.beta is ${config.beta}, and there is no behaviour loss to weigh`);
  }
  const stepsPerEpoch = Math.ceil(perEpoch / config.gradient_accumulation);
  const totalSteps = stepsPerEpoch * config.epochs;
  const { trainable } = model;
  const optimizer = new AdamW(trainable, { weightDecay: config.weight_decay });
  const history: EpochLosses[] = [...(options.resume?.history ?? [])];
  if (options.resume) optimizer.restore(options.resume.optimizer);
  let scales = options.resume?.scales;

  const held = { set: 'val', samples: loader.size('val'), view: 'canonical', purpose: 'validation' } as const;
  const drawn = loader.draw(requests(model, samples, held, config, history.length));
  for (let epoch = history.length; epoch < config.epochs; epoch++) {
    // Sums stay on the device until the epoch ends.
    let sums = tf.zeros([1 + lossParts.length]);
    let pending: tf.Tensor[] | undefined;
    let pendingCount = 0;
    let step = epoch * stepsPerEpoch;
    for (let b = 0; b < perEpoch; b++) {
      const queries = () => new Random(config.seed, model.block, 'queries', epoch, b);
      const batch: Batch = {
        views: await nextViews(drawn),
        behaviour: asks && ((...tokens) => asks(...tokens, queries())),
      };
      if ((config.beta ?? null) !== null) {
        scales ??= await lossesOf(model, batch, config, weightsOf(config));
      }
      const weights = weightsOf(config, scales);
      const stepNow = pendingCount + 1 === config.gradient_accumulation || b === perEpoch - 1;
      const previousSums = sums;
      const previous = pending;
      const kept = tf.tidy(() => {
        const { gradients, parts } = batchGradients(model, batch, config, weights);
        const summed = previous
          ? gradients.map((gradient, i) => tf.add(gradient, previous[i] as tf.Tensor))
          : gradients;
        const newSums = tf.add(previousSums, parts);
        parts.dispose();
        if (!stepNow) return [newSums, ...summed];
        const mean = pendingCount > 0 ? summed.map((gradient) => tf.div(gradient, pendingCount + 1)) : summed;
        const clipped = config.gradient_clip === null ? mean : clip(mean, config.gradient_clip);
        const named = Object.fromEntries(trainable.map(({ name }, i) => [name, clipped[i] as tf.Tensor]));
        optimizer.step(named, oneCycle(step, totalSteps, config.learning_rate));
        return [newSums];
      });
      tf.dispose([previousSums, ...(previous ?? [])]);
      [sums, pending] = [kept[0] as tf.Tensor, stepNow ? undefined : kept.slice(1)];
      pendingCount = stepNow ? 0 : pendingCount + 1;
      if (stepNow) step++;
      const last = history.at(-1);
      options.report?.({
        done: epoch * perEpoch + b + 1,
        total: perEpoch * config.epochs,
        unit: 'steps',
        ...(last ? { metric: { name: 'loss', value: last.loss } } : {}),
      });
    }
    const [loss, reconstruction, contrast, behaviour] = Array.from(
      await sums.data(),
      (sum) => sum / perEpoch,
    );
    sums.dispose();
    if (!Number.isFinite(loss)) {
      throw new Error(
        `pretraining diverged in epoch ${epoch + 1}: the loss is ${loss}. Lower ${model.block}.learning_rate`,
      );
    }
    const validation = await evaluate(model, held, drawn, config);
    history.push({
      epoch: epoch + 1,
      loss: loss as number,
      reconstruction: reconstruction as number,
      contrast: contrast as number,
      ...(asks && { behaviour: behaviour as number }),
      validation_reconstruction: validation.loss,
      validation_explained_variance: validation.variance,
    });
    const state = async () => ({ history: [...history], optimizer: await optimizer.state(), scales });
    await options.onEpoch?.(state, epoch === config.epochs - 1);
  }
  optimizer.dispose();
  return history;
}
