import type { Layer } from './architecture.ts';
import { defineArchitecture } from './define.ts';

interface Variant {
  name: string;
  /** Residual blocks of each stage; every stage after the first halves the image and doubles the channels. */
  blocks: readonly number[];
  /** Whether a block is 1x1, 3x3, 1x1 convolutions with a fourfold width at its end, instead of two of 3x3. */
  bottleneck: boolean;
}

/**
 * Residual networks for small images (He et al. 2016) as in the zoos of Schürholt et al. (2024): a 3x3 stem of stride 1
 * without pooling, in a bottleneck the stride at the 3x3 convolution, global average pooling. Names are those of torchvision.
 */
export const resnets = (
  [
    { name: 'resnet18', blocks: [2, 2, 2, 2], bottleneck: false },
    { name: 'resnet34', blocks: [3, 4, 6, 3], bottleneck: false },
    { name: 'resnet50', blocks: [3, 4, 6, 3], bottleneck: true },
    { name: 'resnet101', blocks: [3, 4, 23, 3], bottleneck: true },
  ] as const
).map(({ name, ...variant }) =>
  defineArchitecture({
    name,
    description: `a residual network of ${name.slice('resnet'.length)} layers with a 3x3 stem for small images`,
    family: 'resnet',
    width: 64,
    images: { side: 16, orLarger: true },
    layers: ({ input: [, , channels], classes, width }) => {
      const { stages, features } = residualStages({ name, ...variant }, width);
      return [
        ...normalizedConv('conv1', 'bn1', channels, width, 3),
        { kind: 'activation' },
        ...stages,
        { kind: 'global-average-pool' },
        { kind: 'linear', name: 'fc', inputs: features, outputs: classes },
      ];
    },
  }),
);

function residualStages({ blocks, bottleneck }: Variant, width: number) {
  let features = width;
  const stages: Layer[] = [];
  for (const [stage, count] of blocks.entries()) {
    const inner = width * 2 ** stage;
    const outputs = bottleneck ? 4 * inner : inner;
    for (let number = 0; number < count; number++) {
      const name = `layer${stage + 1}.${number}`;
      const stride = stage > 0 && number === 0 ? 2 : 1;
      const branch = bottleneck
        ? chain(name, [features, inner, inner, outputs], [1, 3, 1], [1, stride, 1])
        : chain(name, [features, inner, outputs], [3, 3], [stride, 1]);
      const changes = stride !== 1 || features !== outputs;
      const downsample = [`${name}.downsample.0`, `${name}.downsample.1`] as const;
      const shortcut = changes ? normalizedConv(...downsample, features, outputs, 1, stride) : [];
      stages.push({ kind: 'residual', branch, shortcut }, { kind: 'activation' });
      features = outputs;
    }
  }
  return { stages, features };
}

/** Convolutions between so many channels, with a nonlinearity between each and the next. */
function chain(
  name: string,
  channels: readonly number[],
  kernels: readonly number[],
  strides: readonly number[],
): Layer[] {
  return kernels.flatMap((kernel, i) => {
    const [inputs, outputs] = channels.slice(i, i + 2) as [number, number];
    const names = [`${name}.conv${i + 1}`, `${name}.bn${i + 1}`] as const;
    const layers = normalizedConv(...names, inputs, outputs, kernel, strides[i]);
    return i < kernels.length - 1 ? [...layers, { kind: 'activation' }] : layers;
  });
}

/** A convolution without bias that keeps the image's size but for its stride, and batch normalisation. */
function normalizedConv(
  conv: string,
  norm: string,
  inputs: number,
  outputs: number,
  kernel: number,
  stride = 1,
): Layer[] {
  const padding = (kernel - 1) / 2;
  return [
    { kind: 'conv2d', name: conv, inputs, outputs, kernel, stride, padding, bias: false },
    { kind: 'batch-norm', name: norm, channels: outputs },
  ];
}
