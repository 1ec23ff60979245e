/** Oracles for the tests of networks: a forward pass in plain float64, and random weights. */
import { Random } from '../../src/engine/random.ts';
import type { Architecture, StateDict } from '../../src/nets/architecture.ts';

/** Normal weights of a sensible size, fresh for each seed. */
export function randomWeights(architecture: Architecture, seed: number): StateDict {
  return new Map(
    architecture.parameters.map(({ name, shape }) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const fan = Math.max(1, size / (shape[0] as number));
      return [name, new Random(seed, 'test', name).normals(size).map((x) => x / Math.sqrt(fan))];
    }),
  );
}

/** Logits of one image [H, W, C] in float64, by the definitions and with loops only. */
export function oracleForward(
  { layers, input }: Architecture,
  weights: StateDict,
  image: Float32Array,
  activation: (x: number) => number,
): number[] {
  const [height, width, channels] = input;
  // Feature maps as [channel][row][column].
  let maps = Array.from({ length: channels }, (_, c) =>
    Array.from({ length: height }, (_, y) =>
      Array.from({ length: width }, (_, x) => image[(y * width + x) * channels + c] as number),
    ),
  );
  let flat: number[] = [];
  let isFlat = false;
  const get = (name: string) => weights.get(name) as Float32Array;
  for (const layer of layers) {
    if (layer.kind === 'conv2d') {
      const { kernel, inputs, outputs } = layer;
      const w = get(`${layer.name}.weight`);
      const b = get(`${layer.name}.bias`);
      const rows = maps[0]!.length - kernel + 1;
      const columns = maps[0]![0]!.length - kernel + 1;
      const before = maps;
      maps = Array.from({ length: outputs }, (_, o) =>
        Array.from({ length: rows }, (_, y) =>
          Array.from({ length: columns }, (_, x) => {
            let sum = b[o] as number;
            for (let c = 0; c < inputs; c++)
              for (let i = 0; i < kernel; i++)
                for (let j = 0; j < kernel; j++)
                  sum +=
                    before[c]![y + i]![x + j]! * (w[((o * inputs + c) * kernel + i) * kernel + j] as number);
            return sum;
          }),
        ),
      );
    } else if (layer.kind === 'max-pool') {
      maps = maps.map((map) =>
        Array.from({ length: Math.floor(map.length / 2) }, (_, y) =>
          Array.from({ length: Math.floor(map[0]!.length / 2) }, (_, x) =>
            Math.max(
              map[2 * y]![2 * x]!,
              map[2 * y]![2 * x + 1]!,
              map[2 * y + 1]![2 * x]!,
              map[2 * y + 1]![2 * x + 1]!,
            ),
          ),
        ),
      );
    } else if (layer.kind === 'activation') {
      if (isFlat) flat = flat.map(activation);
      else maps = maps.map((map) => map.map((row) => row.map(activation)));
    } else if (layer.kind === 'flatten') {
      flat = maps.flat(2);
      isFlat = true;
    } else if (layer.kind === 'linear') {
      const w = get(`${layer.name}.weight`);
      const b = get(`${layer.name}.bias`);
      const x = flat;
      flat = Array.from({ length: layer.outputs }, (_, o) =>
        x.reduce((sum, v, i) => sum + v * (w[o * layer.inputs + i] as number), b[o] as number),
      );
    }
  }
  return flat;
}
