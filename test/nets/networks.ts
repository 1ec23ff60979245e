/** Oracles for the tests of networks: a forward pass in plain float64, and random weights. */
import { Random } from '../../src/base/random.ts';
import {
  type ActivationFunction,
  type Architecture,
  type ImageSize,
  type Layer,
  leaves,
  type StateDict,
} from '../../src/nets/architecture.ts';
import { getArchitecture } from '../../src/nets/registry.ts';

/** The paper's small networks, for MNIST and CIFAR-10. */
export const cnnSmall = getArchitecture('cnn-small', { input: [28, 28, 1], classes: 10, width: null });
export const cnnLarge = getArchitecture('cnn-large', { input: [32, 32, 3], classes: 10, width: null });

/** Normal weights of a sensible size, gains and variances around 1; fresh for each seed. */
export function randomWeights(architecture: Architecture, seed: number): StateDict {
  const norms = new Set(
    leaves(architecture.layers).flatMap((layer) =>
      layer.kind === 'batch-norm' || layer.kind === 'layer-norm' ? [layer.name] : [],
    ),
  );
  const isNorm = (name: string) => norms.has(name.slice(0, name.lastIndexOf('.')));
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

type Pooling = Extract<Layer, { kind: 'max-pool' | 'average-pool' }>;

/** The error function by its power series, of which float64 loses little up to 3 and which is 1 to 1e-9 from 4.5 on. */
function erf(x: number): number {
  if (Math.abs(x) > 4.5) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** The functions by their definitions. */
const functions: Record<ActivationFunction, (slope?: number) => (x: number) => number> = {
  relu: () => (x) => Math.max(0, x),
  relu6: () => (x) => Math.min(6, Math.max(0, x)),
  'leaky-relu':
    (slope = 0.01) =>
    (x) =>
      x > 0 ? x : slope * x,
  elu: () => (x) => (x > 0 ? x : Math.expm1(x)),
  gelu: () => (x) => (x * (1 + erf(x / Math.SQRT2))) / 2,
  silu: () => (x) => x / (1 + Math.exp(-x)),
  hardswish: () => (x) => (x * Math.min(6, Math.max(0, x + 3))) / 6,
  tanh: () => Math.tanh,
  sigmoid: () => (x) => 1 / (1 + Math.exp(-x)),
};

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

  const pool = (map: FeatureMap, layer: Pooling, outside: number, join: (numbers: number[]) => number) => {
    const { kernel = 2, stride = kernel, padding = 0 } = layer;
    const [height, width, channels] = map.size;
    const count = (side: number) => Math.floor((side + 2 * padding - kernel) / stride) + 1;
    return make([count(height), count(width), channels], (y, x, c) =>
      join(
        Array.from({ length: kernel * kernel }, (_, i) => {
          const [row, column] = [
            y * stride + Math.floor(i / kernel) - padding,
            x * stride + (i % kernel) - padding,
          ];
          const inside = row >= 0 && column >= 0 && row < height && column < width;
          return inside ? pixel(map, row, column, c) : outside;
        }),
      ),
    );
  };
  const mean = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length;

  const normalize = (batch: FeatureMap[], name: string, epsilon = 1e-5): FeatureMap[] => {
    const channels = (batch[0] as FeatureMap).size[2];
    const scales = Array.from({ length: channels }, (_, c) => {
      const numbers = batch.flatMap(({ at }) => [...at.filter((_, i) => i % channels === c)]);
      const center = training ? mean(numbers) : (get(`${name}.running_mean`)[c] as number);
      const variance = training
        ? mean(numbers.map((x) => (x - center) ** 2))
        : (get(`${name}.running_var`)[c] as number);
      return { center, scale: (get(`${name}.weight`)[c] as number) / Math.sqrt(variance + epsilon) };
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
    const {
      name,
      inputs,
      outputs,
      kernel,
      stride = 1,
      padding = 0,
      dilation = 1,
      groups = 1,
      bias = true,
    } = layer;
    const [seen, given] = [inputs / groups, outputs / groups];
    const [w, b] = [get(`${name}.weight`), bias ? get(`${name}.bias`) : undefined];
    const [rows, columns] = [map.size[0], map.size[1]].map(
      (side) => Math.floor((side + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1,
    );
    return make([rows!, columns!, outputs], (y, x, o) => {
      let sum = b?.[o] ?? 0;
      const first = Math.floor(o / given) * seen;
      for (let c = 0; c < seen; c++)
        for (let i = 0; i < kernel; i++)
          for (let j = 0; j < kernel; j++)
            sum +=
              pixel(
                map,
                y * stride + i * dilation - padding,
                x * stride + j * dilation - padding,
                first + c,
              ) * (w[((o * seen + c) * kernel + i) * kernel + j] as number);
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
              const bias = layer.bias === false ? 0 : (get(`${layer.name}.bias`)[o] as number);
              return at.reduce((sum, x, i) => sum + x * (w[o * layer.inputs + i] as number), bias);
            }),
          );
          break;
        case 'batch-norm':
          batch = normalize(batch, layer.name, layer.epsilon);
          break;
        case 'max-pool':
          batch = each((map) =>
            pool(map, layer, Number.NEGATIVE_INFINITY, (numbers) => Math.max(...numbers)),
          );
          break;
        case 'average-pool':
          batch = each((map) => pool(map, layer, 0, mean));
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
          batch = each(({ size, at }) => ({
            size,
            at: at.map(layer.function ? functions[layer.function](layer.slope) : activation),
          }));
          break;
        case 'layer-norm':
          batch = each(({ size, at }) => {
            const [width, gain, bias] = [
              layer.channels,
              get(`${layer.name}.weight`),
              get(`${layer.name}.bias`),
            ];
            return {
              size,
              at: at.map((x, i) => {
                const row = [...at.subarray(i - (i % width), i - (i % width) + width)];
                const center = mean(row);
                const variance = mean(row.map((x) => (x - center) ** 2));
                const unit = (x - center) / Math.sqrt(variance + (layer.epsilon ?? 1e-5));
                return unit * gain[i % width]! + bias[i % width]!;
              }),
            };
          });
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
          const parts = layer.branches.map((branch) => run(branch, batch));
          batch = each((_, m) => {
            const maps = parts.map((part) => part[m] as FeatureMap);
            const [height, width] = maps[0]!.size;
            const channels = maps.reduce((sum, { size }) => sum + size[2], 0);
            return make([height, width, channels], (y, x, c) => {
              let [i, rest] = [0, c];
              while (rest >= maps[i]!.size[2]) rest -= maps[i++]!.size[2];
              return pixel(maps[i]!, y, x, rest);
            });
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
