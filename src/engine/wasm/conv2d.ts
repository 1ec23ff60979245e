/**
 * Gradients of a convolution, each as another convolution through XNNPACK: tfjs has none for the filter on this back end,
 * and a slow loop for the input. For stride 1 without dilation in NHWC; the networks here have no other convolutions.
 */
import { tf } from '../tf.ts';
import type { WasmKernel } from './kernel.ts';

interface ConvAttributes {
  strides: number | [number, number];
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  dataFormat: 'NHWC' | 'NCHW';
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

type Geometry = tf.backend_util.Conv2DInfo;

function geometryOf(input: number[], filter: number[], attributes: ConvAttributes): Geometry {
  const { strides, pad, dataFormat, dimRoundingMode } = attributes;
  return tf.backend_util.computeConv2DInfo(
    input as [number, number, number, number],
    filter as [number, number, number, number],
    ...([strides, 1, pad, dimRoundingMode, false] as const),
    tf.backend_util.convertConv2DDataFormat(dataFormat),
  );
}

function isPlain({ strideHeight, strideWidth, dataFormat }: Geometry): boolean {
  return strideHeight === 1 && strideWidth === 1 && dataFormat === 'channelsLast';
}

/** tfjs's Conv2DBackpropFilter: x [B, H, W, C] and dy [B, OH, OW, O] to the filter's gradient [kh, kw, C, O]. */
export const conv2dFilterGrad: WasmKernel = (inputs, _backend, attributes) => {
  const { x, dy } = inputs as { x: tf.Tensor4D; dy: tf.Tensor4D };
  const geometry = geometryOf(
    x.shape,
    attributes.filterShape as number[],
    attributes as unknown as ConvAttributes,
  );
  if (!isPlain(geometry)) {
    throw new Error(
      'The gradient of a convolution with stride above 1 is not there on the wasm device; use cpu.',
    );
  }
  // Channels and samples change places: each of C images [H, W] with B channels meets O filters [OH, OW].
  return tf.tidy(() => {
    const images = tf.transpose(x, [3, 1, 2, 0]);
    const filters = tf.transpose(dy, [1, 2, 0, 3]);
    return tf.transpose(tf.conv2d(images, filters, 1, padding(geometry)), [1, 2, 0, 3]);
  });
};

/** tfjs's Conv2DBackpropInput: dy [B, OH, OW, O] and the filter [kh, kw, C, O] to the input's gradient [B, H, W, C]. */
export function conv2dInputGradWith(original: WasmKernel): WasmKernel {
  return (inputs, backend, attributes) => {
    const { dy, filter } = inputs as { dy: tf.Tensor4D; filter: tf.Tensor4D };
    const inputShape = attributes.inputShape as number[];
    const geometry = geometryOf(inputShape, filter.shape, attributes as unknown as ConvAttributes);
    if (!isPlain(geometry)) return original(inputs, backend, attributes);
    // The full correlation of dy with the filter turned by 180 degrees, its channels exchanged.
    return tf.tidy(() => {
      const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]);
      return tf.conv2d(dy, turned, 1, fullPadding(geometry));
    });
  };
}

function padding({ padInfo: { top, bottom, left, right } }: Geometry): tf.backend_util.ExplicitPadding {
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}

function fullPadding({ padInfo, filterHeight, filterWidth }: Geometry): tf.backend_util.ExplicitPadding {
  const [h, w] = [filterHeight - 1, filterWidth - 1];
  return [
    [0, 0],
    [h - padInfo.top, h - padInfo.bottom],
    [w - padInfo.left, w - padInfo.right],
    [0, 0],
  ];
}
