/** Convolution and max pooling with their gradients, those of tfjs and the fused ones; images [batch, height, width, channels]. */
import { tf } from '../../tf.ts';
import type { Attributes, Inputs, NativeKernel, NativeKernels } from '../kernel.ts';
import { allFloat } from '../kernel.ts';
import { transposed } from './movement.ts';

type Size4 = [number, number, number, number];

/** What tfjs calls Conv2DInfo, as C reads it (`struct geometry`). */
function geometryOf(info: tf.backend_util.Conv2DInfo): Int32Array {
  return Int32Array.of(
    ...info.inShape,
    ...info.outShape.slice(1),
    ...[info.filterHeight, info.filterWidth, info.strideHeight, info.strideWidth],
    ...[info.padInfo.top, info.padInfo.left],
  );
}

interface ConvAttributes {
  strides: number | [number, number];
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  dataFormat: 'NHWC' | 'NCHW';
  dilations?: number | [number, number];
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** Of a convolution of images with filters [kh, kw, C, O]. */
function convInfo(images: number[], filters: number[], attributes: Attributes): tf.backend_util.Conv2DInfo {
  const { strides, pad, dimRoundingMode } = attributes as unknown as ConvAttributes;
  return tf.backend_util.computeConv2DInfo(
    ...([images as Size4, filters as Size4, strides, 1, pad, dimRoundingMode] as const),
  );
}

/** C computes with channels last and without dilation. */
function isPlain(inputs: Inputs, { dataFormat, dilations = 1 }: Attributes): boolean {
  const isOne = Array.isArray(dilations) ? dilations.every((step) => step === 1) : dilations === 1;
  return allFloat(inputs) && (dataFormat === undefined || dataFormat === 'NHWC') && isOne;
}

/** The permutations between a filter [kh, kw, C, O] and one of PyTorch, which C takes, [O, C, kh, kw]. */
const [toFirst, toLast] = [
  [3, 2, 0, 1],
  [2, 3, 1, 0],
];

const conv2d: NativeKernel = {
  accepts: isPlain,
  run(inputs, backend, attributes) {
    const { x, filter } = inputs as Record<'x' | 'filter', tf.TensorInfo>;
    const info = convInfo(x.shape, filter.shape, attributes);
    const [w, y] = [transposed(backend, filter, toFirst), backend.allocate(info.outShape)];
    const numbers = [backend.address(x), backend.address(w), null, backend.address(y)] as const;
    backend.library.conv2d(...numbers, geometryOf(info));
    backend.release(w);
    return y;
  },
};

const filterGrad: NativeKernel = {
  accepts: isPlain,
  run(inputs, backend, attributes) {
    const { x, dy } = inputs as Record<'x' | 'dy', tf.TensorInfo>;
    const info = convInfo(x.shape, attributes.filterShape as number[], attributes);
    const dw = backend.allocate(toFirst.map((axis) => info.filterShape[axis] as number));
    const numbers = [backend.address(dy), backend.address(x), backend.address(dw)] as const;
    backend.library.conv2d_filter_grad(...numbers, geometryOf(info));
    const dfilter = transposed(backend, dw, toLast);
    backend.release(dw);
    return dfilter;
  },
};

const inputGrad: NativeKernel = {
  accepts: isPlain,
  run(inputs, backend, attributes) {
    const { dy, filter } = inputs as Record<'dy' | 'filter', tf.TensorInfo>;
    const info = convInfo(attributes.inputShape as number[], filter.shape, attributes);
    const [w, dx] = [transposed(backend, filter, toFirst), backend.allocate(info.inShape)];
    const numbers = [backend.address(dy), backend.address(w), backend.address(dx)] as const;
    backend.library.conv2d_input_grad(...numbers, geometryOf(info));
    backend.release(w);
    return dx;
  },
};

/** Of a convolution with filters [O, C, kh, kw], `stride` and `padding` along both axes. */
function fusedInfo(x: tf.TensorInfo, w: tf.TensorInfo, { stride, padding }: Attributes) {
  const filters = toLast.map((axis) => w.shape[axis] as number);
  return convInfo(x.shape, filters, { strides: stride, pad: padding });
}

const saneConv2d: NativeKernel = {
  run(inputs, backend, attributes) {
    const { x, w, b } = inputs as Record<'x' | 'w', tf.TensorInfo> & { b?: tf.TensorInfo };
    const info = fusedInfo(x, w, attributes);
    const y = backend.allocate(info.outShape);
    const tensors = [backend.address(x), backend.address(w), b ? backend.address(b) : null] as const;
    backend.library.conv2d(...tensors, backend.address(y), geometryOf(info));
    return y;
  },
};

const saneConv2dGrad: NativeKernel = {
  run(inputs, backend, attributes) {
    const { dy, x, w } = inputs as Record<'dy' | 'x' | 'w', tf.TensorInfo>;
    const geometry = geometryOf(fusedInfo(x, w, attributes));
    const given = backend.address(dy);
    const dw = backend.allocate(w.shape);
    backend.library.conv2d_filter_grad(given, backend.address(x), backend.address(dw), geometry);
    const outputs: [tf.TensorInfo, ...tf.TensorInfo[]] = [dw];
    if (attributes.bias) {
      const db = backend.allocate([w.shape[0] as number]);
      backend.library.conv2d_bias_grad(given, backend.address(db), geometry);
      outputs.push(db);
    }
    if (attributes.inputGradient) {
      const dx = backend.allocate(x.shape);
      backend.library.conv2d_input_grad(given, backend.address(w), backend.address(dx), geometry);
      outputs.push(dx);
    }
    return outputs;
  },
};

function poolGeometry(shape: number[], attributes: Attributes): { numbers: Int32Array; outShape: Size4 } {
  const {
    filterSize,
    strides,
    pad = 'valid',
    dimRoundingMode,
  } = attributes as unknown as ConvAttributes & {
    filterSize: number | [number, number];
  };
  const info = tf.backend_util.computePool2DInfo(
    ...([shape as Size4, filterSize, strides, 1, pad, dimRoundingMode] as const),
  );
  return { numbers: geometryOf(info), outShape: info.outShape };
}

const maxPool: NativeKernel = {
  run({ x }, backend, attributes) {
    const input = x as tf.TensorInfo;
    const { numbers, outShape } = poolGeometry(input.shape, attributes);
    const y = backend.allocate(outShape);
    backend.library.max_pool(backend.address(input), backend.address(y), numbers);
    return y;
  },
};

const maxPoolGrad = (inputName: string): NativeKernel => ({
  run(inputs, backend, attributes) {
    const [dy, x] = [inputs.dy, inputs[inputName]] as [tf.TensorInfo, tf.TensorInfo];
    const dx = backend.allocate(x.shape);
    const { numbers } = poolGeometry(x.shape, attributes);
    backend.library.max_pool_grad(backend.address(dy), backend.address(x), backend.address(dx), numbers);
    return dx;
  },
});

export const convolutions: NativeKernels = {
  Conv2D: conv2d,
  Conv2DBackpropFilter: filterGrad,
  Conv2DBackpropInput: inputGrad,
  SaneConv2d: saneConv2d,
  SaneConv2dGrad: saneConv2dGrad,
  MaxPool: maxPool,
  MaxPoolGrad: maxPoolGrad('input'),
  SaneMaxPool: maxPool,
  SaneMaxPoolGrad: maxPoolGrad('x'),
};
