/** Convolution and max pooling with their gradients, images [batch, height, width, channels]. */
import { tf } from '../../tf.ts';
import type { Attributes, Inputs, NativeBackend, NativeKernel, NativeKernels } from '../kernel.ts';
import { allFloat } from '../kernel.ts';

type Size4 = [number, number, number, number];

/** What tfjs calls Conv2DInfo and what C reads as `struct geometry`. */
export function geometry(info: {
  inShape: Size4;
  outShape: Size4;
  filter: [height: number, width: number];
  stride?: [height: number, width: number];
  dilation?: [height: number, width: number];
  pad?: [top: number, left: number];
}): Int32Array {
  const { inShape, outShape, filter, stride = [1, 1], dilation = [1, 1], pad = [0, 0] } = info;
  return Int32Array.of(...inShape, ...outShape.slice(1), ...filter, ...stride, ...dilation, ...pad);
}

function fromInfo(info: tf.backend_util.Conv2DInfo): Int32Array {
  return geometry({
    inShape: info.inShape,
    outShape: info.outShape,
    filter: [info.filterHeight, info.filterWidth],
    stride: [info.strideHeight, info.strideWidth],
    dilation: [info.dilationHeight, info.dilationWidth],
    pad: [info.padInfo.top, info.padInfo.left],
  });
}

interface ConvAttributes {
  strides: number | [number, number];
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  dataFormat: 'NHWC' | 'NCHW';
  dilations?: number | [number, number];
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

function convInfo(
  inShape: number[],
  filterShape: number[],
  attributes: Attributes,
): tf.backend_util.Conv2DInfo {
  const { strides, pad, dilations = 1, dimRoundingMode } = attributes as unknown as ConvAttributes;
  return tf.backend_util.computeConv2DInfo(
    ...([inShape as Size4, filterShape as Size4, strides, dilations, pad, dimRoundingMode] as const),
  );
}

const channelsLast = (inputs: Inputs, { dataFormat }: Attributes) =>
  allFloat(inputs) && (dataFormat === undefined || dataFormat === 'NHWC');

const conv2d: NativeKernel = {
  accepts: channelsLast,
  run(inputs, backend, attributes) {
    const { x, filter } = inputs as Record<'x' | 'filter', tf.TensorInfo>;
    const info = convInfo(x.shape, filter.shape, attributes);
    const y = backend.allocate(info.outShape);
    const numbers = [backend.address(x), backend.address(filter), null, backend.address(y)] as const;
    backend.library.conv2d(...numbers, fromInfo(info));
    return y;
  },
};

const filterGrad: NativeKernel = {
  accepts: channelsLast,
  run(inputs, backend, attributes) {
    const { x, dy } = inputs as Record<'x' | 'dy', tf.TensorInfo>;
    const info = convInfo(x.shape, attributes.filterShape as number[], attributes);
    const dw = backend.allocate(info.filterShape);
    const numbers = [backend.address(dy), backend.address(x), backend.address(dw)] as const;
    backend.library.conv2d_filter_grad(...numbers, fromInfo(info));
    return dw;
  },
};

const inputGrad: NativeKernel = {
  accepts: channelsLast,
  run(inputs, backend, attributes) {
    const { dy, filter } = inputs as Record<'dy' | 'filter', tf.TensorInfo>;
    const info = convInfo(attributes.inputShape as number[], filter.shape, attributes);
    const dx = backend.allocate(info.inShape);
    const numbers = [backend.address(dy), backend.address(filter), backend.address(dx)] as const;
    backend.library.conv2d_input_grad(...numbers, fromInfo(info));
    return dx;
  },
};

function poolGeometry(shape: number[], attributes: Attributes): { numbers: Int32Array; outShape: Size4 } {
  const { filterSize, strides, pad, dimRoundingMode } = attributes as unknown as ConvAttributes & {
    filterSize: number | [number, number];
  };
  const info = tf.backend_util.computePool2DInfo(
    ...([shape as Size4, filterSize, strides, 1, pad, dimRoundingMode] as const),
  );
  return { numbers: fromInfo(info), outShape: info.outShape };
}

/** The maximum of each window of x. */
export function maxPooled(backend: NativeBackend, x: tf.TensorInfo, attributes: Attributes): tf.TensorInfo {
  const { numbers, outShape } = poolGeometry(x.shape, attributes);
  const y = backend.allocate(outShape);
  backend.library.max_pool(backend.address(x), backend.address(y), numbers);
  return y;
}

/** Its gradient. */
export function maxPoolGradient(
  backend: NativeBackend,
  dy: tf.TensorInfo,
  x: tf.TensorInfo,
  attributes: Attributes,
): tf.TensorInfo {
  const dx = backend.allocate(x.shape);
  const { numbers } = poolGeometry(x.shape, attributes);
  backend.library.max_pool_grad(backend.address(dy), backend.address(x), backend.address(dx), numbers);
  return dx;
}

export const convolutions: NativeKernels = {
  Conv2D: conv2d,
  Conv2DBackpropFilter: filterGrad,
  Conv2DBackpropInput: inputGrad,
  MaxPool: {
    run: ({ x }, backend, attributes) => maxPooled(backend, x as tf.TensorInfo, attributes),
  },
  MaxPoolGrad: {
    run: ({ dy, input }, backend, attributes) =>
      maxPoolGradient(backend, dy as tf.TensorInfo, input as tf.TensorInfo, attributes),
  },
};
