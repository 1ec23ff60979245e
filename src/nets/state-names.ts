/** What the tensors of a state dict are, by their names, as PyTorch's modules have them. */

/** The part of a name that says what the tensor is to its module: `weight` of `layer1.0.conv1.weight`. */
export const partOf = (name: string) => name.slice(name.lastIndexOf('.') + 1);

/** The module that a tensor belongs to: `layer1.0.conv1`. Empty where the name has no dot. */
export const moduleOf = (name: string) => name.slice(0, Math.max(0, name.lastIndexOf('.')));

/** Means and variances that batch norm keeps. */
export const isRunning = (name: string) => /^running_(mean|var)$/.test(partOf(name));

/** Counters of batches, which batch norm keeps too. */
export const isCounter = (name: string) => partOf(name) === 'num_batches_tracked';

/**
 * Whether a tensor is part of a layer as tokens and architectures know them: a weight, a bias, or what batch norm keeps. A scalar is none, as it
 * has no rows.
 */
export const isLayerTensor = (name: string, shape: readonly number[]) =>
  shape.length > 0 && (/(weight|bias)$/.test(partOf(name)) || isRunning(name));

/** Whether a tensor belongs to batch norm: its module keeps a running mean or variance. */
export const batchNormModules = (names: Iterable<string>): ReadonlySet<string> =>
  new Set([...names].filter(isRunning).map(moduleOf));
