/** Oracles for the tests of networks: a forward pass in plain float64, and random weights. */
import { Random } from '../../src/base/random.ts';
import type { Architecture, ImageSize, Layer, StateDict } from '../../src/nets/architecture.ts';
import { getArchitecture } from '../../src/nets/registry.ts';

/** The paper's small networks, for MNIST and CIFAR-10. */
export const cnnSmall = getArchitecture('cnn-small', { input: [28, 28, 1], classes: 10, width: null });
export const cnnLarge = getArchitecture('cnn-large', { input: [32, 32, 3], classes: 10, width: null });

/** Normal weights of a sensible size, gains and variances around 1; fresh for each seed. */
export function randomWeights(architecture: Architecture, seed: number): StateDict {
  const isNorm = (name: string) =>
    architecture.buffers.some(({ name: buffer }) => buffer === name.replace(/\w+$/, 'running_var'));
  return new Map(
    architecture.state.map(({ name, shape }) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const fan = Math.max(1, size / (shape[0] as number));
      const normals = new Random(seed, 'test', name).normals(size);
      if (!isNorm(name)) return [name, normals.map((x) => x / Math.sqrt(fan))];
      return [name, normals.map((x) => (/weight|var/.test(name) ? Math.exp(0.3 * x) : 0.3 * x))];
    }),
  );
}

/** A feature map, rows of pixels of channels. */
interface FeatureMap {
  size: ImageSize;
  at: Float64Array;
}

/** Logits of one image [H, W, C] in float64, by the definitions and with loops only. */
export function oracleForward(
  architecture: Architecture,
  weights: StateDict,
  image: Float32Array,
  activation: (x: number) => number,
): number[] {
  return oracleLogits(architecture, weights, [image], activation, { training: false })[0] as number[];
}

/** As `oracleForward`, of a batch of images; in training they are normalised by their own statistics. */
export function oracleLogits(
  { layers, input }: Architecture,
  weights: StateDict,
  images: readonly Float32Array[],
  activation: (x: number) => number,
  { training }: { training: boolean },
): number[][] {
  const get = (name: string) => weights.get(name) as Float32Array;

  /** A map whose numbers are `f` of row, column and channel. */
  const make = (size: ImageSize, f: (y: number, x: number, c: number) => number): FeatureMap => {
    const at = new Float64Array(size[0] * size[1] * size[2]);
    let i = 0;
    for (let y = 0; y < size[0]; y++)
      for (let x = 0; x < size[1]; x++) for (let c = 0; c < size[2]; c++) at[i++] = f(y, x, c);
    return { size, at };
  };
  const pixel = ({ size: [height, width, channels], at }: FeatureMap, y: number, x: number, c: number) =>
    y < 0 || x < 0 || y >= height || x >= width ? 0 : (at[(y * width + x) * channels + c] as number);

  const pool = (map: FeatureMap, side: number, join: (numbers: number[]) => number) => {
    const [height, width, channels] = map.size;
    const size: ImageSize = [Math.floor(height / side), Math.floor(width / side), channels];
    return make(size, (y, x, c) =>
      join(
        Array.from({ length: side * side }, (_, i) =>
          pixel(map, y * side + Math.floor(i / side), x * side + (i % side), c),
        ),
      ),
    );
  };
  const mean = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;

  const normalize = (batch: FeatureMap[], name: string): FeatureMap[] => {
    const channels = (batch[0] as FeatureMap).size[2];
    const scales = Array.from({ length: channels }, (_, c) => {
      const numbers = batch.flatMap(({ at }) => [...at.filter((_, i) => i % channels === c)]);
      const center = training ? mean(numbers) : (get(`${name}.running_mean`)[c] as number);
      const variance = training
        ? mean(numbers.map((x) => (x - center) ** 2))
        : (get(`${name}.running_var`)[c] as number);
      return { center, scale: (get(`${name}.weight`)[c] as number) / Math.sqrt(variance + 1e-5) };
    });
    return batch.map(({ size, at }) => ({
      size,
      at: at.map((x, i) => {
        const { center, scale } = scales[i % channels]!;
        return (x - center) * scale + (get(`${name}.bias`)[i % channels] as number);
      }),
    }));
  };

  const convolve = (map: FeatureMap, layer: Extract<Layer, { kind: 'conv2d' }>): FeatureMap => {
    const { name, inputs, outputs, kernel, stride = 1, padding = 0, bias = true } = layer;
    const [w, b] = [get(`${name}.weight`), bias ? get(`${name}.bias`) : undefined];
    const [rows, columns] = [map.size[0], map.size[1]].map(
      (side) => Math.floor((side + 2 * padding - kernel) / stride) + 1,
    );
    return make([rows!, columns!, outputs], (y, x, o) => {
      let sum = b?.[o] ?? 0;
      for (let c = 0; c < inputs; c++)
        for (let i = 0; i < kernel; i++)
          for (let j = 0; j < kernel; j++)
            sum +=
              pixel(map, y * stride + i - padding, x * stride + j - padding, c) *
              (w[((o * inputs + c) * kernel + i) * kernel + j] as number);
      return sum;
    });
  };

  const run = (layers: readonly Layer[], start: FeatureMap[]): FeatureMap[] => {
    let batch = start;
    for (const layer of layers) {
      const each = (f: (map: FeatureMap, m: number) => FeatureMap) => batch.map(f);
      switch (layer.kind) {
        case 'conv2d':
          batch = each((map) => convolve(map, layer));
          break;
        case 'linear':
          batch = each(({ at }) =>
            make([1, 1, layer.outputs], (_, __, o) => {
              const w = get(`${layer.name}.weight`);
              const bias = get(`${layer.name}.bias`)[o] as number;
              return at.reduce((sum, x, i) => sum + x * (w[o * layer.inputs + i] as number), bias);
            }),
          );
          break;
        case 'batch-norm':
          batch = normalize(batch, layer.name);
          break;
        case 'max-pool':
          batch = each((map) => pool(map, layer.size ?? 2, (numbers) => Math.max(...numbers)));
          break;
        case 'average-pool':
          batch = each((map) => pool(map, layer.size ?? 2, mean));
          break;
        case 'global-average-pool':
          batch = each(({ size: [height, width, channels], at }) =>
            make([1, 1, channels], (_, __, c) => {
              let sum = 0;
              for (let i = c; i < at.length; i += channels) sum += at[i] as number;
              return sum / (height * width);
            }),
          );
          break;
        case 'activation':
          batch = each(({ size, at }) => ({ size, at: at.map(activation) }));
          break;
        case 'flatten':
          batch = each((map) => {
            const [height, width, channels] = map.size;
            const numbers = Array.from({ length: channels * height * width }, (_, i) =>
              pixel(map, Math.floor(i / width) % height, i % width, Math.floor(i / (height * width))),
            );
            return { size: [1, 1, numbers.length], at: Float64Array.from(numbers) };
          });
          break;
        case 'residual': {
          const [branch, shortcut] = [run(layer.branch, batch), run(layer.shortcut, batch)];
          batch = branch.map(({ size, at }, m) => ({ size, at: at.map((x, i) => x + shortcut[m]!.at[i]!) }));
          break;
        }
        case 'concatenate': {
          const added = run(layer.branch, batch);
          batch = each((map, m) => {
            const [height, width, channels] = map.size;
            const more = added[m] as FeatureMap;
            return make([height, width, channels + more.size[2]], (y, x, c) =>
              c < channels ? pixel(map, y, x, c) : pixel(more, y, x, c - channels),
            );
          });
          break;
        }
      }
    }
    return batch;
  };
  return run(
    layers,
    images.map((image) => ({ size: input, at: Float64Array.from(image) })),
  ).map(({ at }) => [...at]);
}
