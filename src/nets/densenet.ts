import type { Layer } from './architecture.ts';
import { defineArchitecture } from './define.ts';

/** Layers of each dense block; between blocks a transition halves channels and image. */
const blocks = [6, 12, 24, 16];

/** Channels of a layer's 1x1 convolution over those that it adds. */
const bottleneck = 4;

/** A densely connected network (Huang et al. 2017) with the names of torchvision. */
export const densenet121 = defineArchitecture({
  name: 'densenet121',
  description:
    'torchvision’s densenet121 for small images: a 3x3 stem of stride 1 without pooling; a layer adds half as many channels as the stem has',
  width: 64,
  images: { side: 16, orLarger: true },
  layers: ({ input, classes, width }) => {
    const growth = Math.ceil(width / 2);
    const layers: Layer[] = [
      conv('features.conv0', input[2], width, 3),
      ...rectifiedNorm('features.norm0', width),
    ];
    let channels = width;
    for (const [b, count] of blocks.entries()) {
      for (let l = 1; l <= count; l++, channels += growth) {
        const name = `features.denseblock${b + 1}.denselayer${l}`;
        const branch = [
          ...rectifiedNorm(`${name}.norm1`, channels),
          conv(`${name}.conv1`, channels, bottleneck * growth, 1),
          ...rectifiedNorm(`${name}.norm2`, bottleneck * growth),
          conv(`${name}.conv2`, bottleneck * growth, growth, 3),
        ];
        layers.push({ kind: 'concatenate', branches: [[], branch] });
      }
      if (b === blocks.length - 1) break;
      const name = `features.transition${b + 1}`;
      const half = Math.floor(channels / 2);
      layers.push(...rectifiedNorm(`${name}.norm`, channels), conv(`${name}.conv`, channels, half, 1), {
        kind: 'average-pool',
      });
      channels = half;
    }
    return [
      ...layers,
      ...rectifiedNorm('features.norm5', channels),
      { kind: 'global-average-pool' },
      { kind: 'linear', name: 'classifier', inputs: channels, outputs: classes },
    ];
  },
});

const conv = (name: string, inputs: number, outputs: number, kernel: number): Layer => ({
  ...{ kind: 'conv2d', name, inputs, outputs, kernel },
  ...{ padding: (kernel - 1) / 2, bias: false },
});

const rectifiedNorm = (name: string, channels: number): Layer[] => [
  { kind: 'batch-norm', name, channels },
  { kind: 'activation' },
];
