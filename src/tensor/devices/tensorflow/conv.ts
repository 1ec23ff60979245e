import { execute } from './execute.ts';
import { type Handle, integers } from './handles.ts';
import { transpose } from './operations.ts';

interface Inputs {
  x: Handle;
  w: Handle;
  b?: Handle;
  dy: Handle;
}

interface Attributes {
  stride: number;
  padding: number;
  bias: boolean;
  inputGradient: boolean;
}

/** TensorFlow's attributes of a convolution over [B, H, W, C] images. The package's kernels refuse padding by a number. */
const settings = ({ stride, padding }: Attributes) => ({
  strides: [1, stride, stride, 1],
  padding: 'EXPLICIT',
  explicit_paddings: [0, 0, padding, padding, padding, padding, 0, 0],
  data_format: 'NHWC',
  use_cudnn_on_gpu: true,
  dilations: [1, 1, 1, 1],
});

/** From PyTorch's [O, C, kh, kw] to TensorFlow's [kh, kw, C, O], and back. */
const toHwio = (w: Handle) => transpose(w, [2, 3, 1, 0]);
const fromHwio = (w: Handle) => transpose(w, [3, 2, 0, 1]);

const shapeOf = ({ shape }: Handle) => integers(shape);

/** SaneConv2d and SaneConv2dGrad (kernel.ts) by the operations that TensorFlow has for them. */
export const convolutions = {
  SaneConv2d({ x, w, b }: Inputs, attributes: Attributes): Handle[] {
    const y = execute('Conv2D', [x, toHwio(w)], settings(attributes));
    return [b ? execute('BiasAdd', [y, b], { data_format: 'NHWC' }) : y];
  },

  SaneConv2dGrad({ dy, x, w }: Inputs, attributes: Attributes): Handle[] {
    const [given, hwio] = [settings(attributes), toHwio(w)];
    const dw = execute('Conv2DBackpropFilter', [x, shapeOf(hwio), dy], given);
    return [
      fromHwio(dw),
      ...(attributes.bias ? [execute('BiasAddGrad', [dy], { data_format: 'NHWC' })] : []),
      ...(attributes.inputGradient ? [execute('Conv2DBackpropInput', [shapeOf(x), hwio, dy], given)] : []),
    ];
  },
};
