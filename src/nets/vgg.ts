import type { Layer } from './architecture.ts';
import { defineArchitecture } from './define.ts';

/** Channels of each stage over the first stage's, and how many convolutions it has (Simonyan and Zisserman 2015, column D). */
const stages = [
  [1, 2],
  [2, 2],
  [4, 3],
  [8, 3],
  [8, 3],
] as const;

/** The network of 13 convolutions as it is used on small images: behind them one dense layer instead of three. */
export const vgg16 = defineArchitecture({
  name: 'vgg16-bn',
  description:
    'torchvision’s vgg16_bn for small images: its convolutions with batch normalisation, then global average pooling and one dense layer',
  width: 64,
  images: { side: 32, orLarger: true },
  layers: ({ input, classes, width }) => {
    const features: Layer[] = [];
    let inputs = input[2];
    for (const [times, convolutions] of stages) {
      for (let i = 0; i < convolutions; i++) {
        const outputs = width * times;
        // The names are places in PyTorch's sequence, in which nonlinearities and pooling count too.
        const place = features.length;
        features.push(
          { kind: 'conv2d', name: `features.${place}`, inputs, outputs, kernel: 3, padding: 1 },
          { kind: 'batch-norm', name: `features.${place + 1}`, channels: outputs },
          { kind: 'activation' },
        );
        inputs = outputs;
      }
      features.push({ kind: 'max-pool' });
    }
    return [
      ...features,
      { kind: 'global-average-pool' },
      { kind: 'linear', name: 'classifier', inputs, outputs: classes },
    ];
  },
});
