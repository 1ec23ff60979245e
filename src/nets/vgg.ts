import type { Layer } from './architecture.ts';
import { defineArchitecture } from './define.ts';

/** Channels of the five stages over those of the first. */
const widths = [1, 2, 4, 8, 8];

/**
 * The networks of Simonyan and Zisserman (2015), Table 1, as they are used on small images: with batch normalisation, and one dense layer behind the convolutions
 * instead of three. Names are those of torchvision.
 */
export const vggs = (
  [
    { name: 'vgg11-bn', convolutions: [1, 1, 2, 2, 2] },
    { name: 'vgg13-bn', convolutions: [2, 2, 2, 2, 2] },
    { name: 'vgg16-bn', convolutions: [2, 2, 3, 3, 3] },
    { name: 'vgg19-bn', convolutions: [2, 2, 4, 4, 4] },
  ] as const
).map(({ name, convolutions }) =>
  defineArchitecture({
    name,
    description: `torchvision’s ${name.replace('-', '_')} for small images: its convolutions with batch normalisation, then global average pooling and one dense layer`,
    width: 64,
    images: { side: 32, orLarger: true },
    layers: ({ input, classes, width }) => {
      const features: Layer[] = [];
      let inputs = input[2];
      for (const [stage, count] of convolutions.entries()) {
        for (let i = 0; i < count; i++) {
          const outputs = width * (widths[stage] as number);
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
  }),
);
