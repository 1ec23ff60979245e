import type { ParameterSpec } from './architecture.ts';

/** What sets one residual network apart from another. */
export interface ResnetSettings {
  name: string;
  /** Residual blocks of each stage; every stage after the first halves the image and doubles the channels. */
  blocks: readonly number[];
  /** Whether a block is 1x1, 3x3, 1x1 convolutions with a fourfold width at its end, instead of two of 3x3. */
  bottleneck: boolean;
  /** Channels of the first stage. */
  width: number;
  classes: number;
  /** Height, width, channels of the images. */
  input: readonly [number, number, number];
}

/** A convolution without bias, and the batch normalisation behind it. */
export interface NormalizedConv {
  conv: string;
  norm: string;
  inputs: number;
  outputs: number;
  kernel: 1 | 3;
  stride: 1 | 2;
}

/** The last of `convs` is added to the shortcut: the block's input, or `downsample` of that where the shapes differ. */
export interface ResidualBlock {
  convs: NormalizedConv[];
  downsample?: NormalizedConv;
}

export interface Resnet extends ResnetSettings {
  stem: NormalizedConv;
  residuals: ResidualBlock[];
  /** Channels of the last stage, which the classifier `fc` sees. */
  features: number;
  /** What training changes, in PyTorch's registration order and shapes. */
  parameters: ParameterSpec[];
  /** The running statistics of batch normalisation, likewise. */
  buffers: ParameterSpec[];
}

/** Names and block structure of the networks of He et al. (2016). */
const variants = {
  resnet18: { blocks: [2, 2, 2, 2], bottleneck: false },
  resnet34: { blocks: [3, 4, 6, 3], bottleneck: false },
  resnet50: { blocks: [3, 4, 6, 3], bottleneck: true },
  resnet101: { blocks: [3, 4, 23, 3], bottleneck: true },
} as const;

export type ResnetName = keyof typeof variants;

/** One of the networks of He et al. (2016), by default of their width and for 32x32 images in colour. */
export function namedResnet(
  name: ResnetName,
  { classes = 10, size = 32, width = 64 }: { classes?: number; size?: number; width?: number } = {},
): Resnet {
  return resnet({ name, ...variants[name], width, classes, input: [size, size, 3] });
}

/**
 * A residual network for small images (He et al. 2016) as in the zoos of Schürholt et al. (2024): a 3x3 stem of stride 1
 * without pooling, in a bottleneck the stride at the 3x3 convolution, global average pooling. Names are those of torchvision.
 */
export function resnet(settings: ResnetSettings): Resnet {
  const { blocks, bottleneck, width, input, classes } = settings;
  const stem: NormalizedConv = {
    ...{ conv: 'conv1', norm: 'bn1', kernel: 3, stride: 1 },
    ...{ inputs: input[2], outputs: width },
  };
  const residuals: ResidualBlock[] = [];
  let inputs = width;
  for (const [stage, count] of blocks.entries()) {
    for (let number = 0; number < count; number++) {
      const block = residualBlock(`layer${stage + 1}.${number}`, {
        ...{ inputs, bottleneck, width: width * 2 ** stage },
        stride: stage > 0 && number === 0 ? 2 : 1,
      });
      residuals.push(block);
      inputs = block.convs.at(-1)?.outputs as number;
    }
  }
  const convs = [stem, ...residuals.flatMap(({ convs, downsample = [] }) => convs.concat(downsample))];
  return {
    ...settings,
    stem,
    residuals,
    features: inputs,
    parameters: [
      ...convs.flatMap(parametersOf),
      { name: 'fc.weight', shape: [classes, inputs] },
      { name: 'fc.bias', shape: [classes] },
    ],
    buffers: convs.flatMap(({ norm, outputs }) => [
      { name: `${norm}.running_mean`, shape: [outputs] },
      { name: `${norm}.running_var`, shape: [outputs] },
    ]),
  };
}

function residualBlock(
  name: string,
  {
    inputs,
    width,
    stride,
    bottleneck,
  }: { inputs: number; width: number; stride: 1 | 2; bottleneck: boolean },
): ResidualBlock {
  const outputs = bottleneck ? 4 * width : width;
  const sizes: Omit<NormalizedConv, 'conv' | 'norm'>[] = bottleneck
    ? [
        { inputs, outputs: width, kernel: 1, stride: 1 },
        { inputs: width, outputs: width, kernel: 3, stride },
        { inputs: width, outputs, kernel: 1, stride: 1 },
      ]
    : [
        { inputs, outputs, kernel: 3, stride },
        { inputs: outputs, outputs, kernel: 3, stride: 1 },
      ];
  const convs = sizes.map((size, i) => ({
    conv: `${name}.conv${i + 1}`,
    norm: `${name}.bn${i + 1}`,
    ...size,
  }));
  if (stride === 1 && inputs === outputs) return { convs };
  const downsample: NormalizedConv = {
    ...{ conv: `${name}.downsample.0`, norm: `${name}.downsample.1` },
    ...{ inputs, outputs, kernel: 1, stride },
  };
  return { convs, downsample };
}

function parametersOf({ conv, norm, inputs, outputs, kernel }: NormalizedConv): ParameterSpec[] {
  return [
    { name: `${conv}.weight`, shape: [outputs, inputs, kernel, kernel] },
    { name: `${norm}.weight`, shape: [outputs] },
    { name: `${norm}.bias`, shape: [outputs] },
  ];
}
