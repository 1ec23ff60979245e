/**
 * `bun bench/parity-onnx.ts [python]`: whether networks that PyTorch exports to ONNX have PyTorch's outputs here. The Python needs torchvision,
 * onnx and onnxscript too. Exit codes: 0 all within 1e-4 of the largest output, 1 not.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forward } from '../src/nets/forward.ts';
import { convertOnnx } from '../src/nets/onnx/convert.ts';
import { getArchitecture } from '../src/nets/registry.ts';
import { startDevice } from '../src/tensor/devices/registry.ts';
import { tf } from '../src/tensor/tf.ts';
import { findPython } from './python.ts';

const tolerance = 1e-4;
const networks = ['small', 'resnet18', 'vgg11_bn', 'mobilenet_v2', 'densenet121'];
const exports = ['torchscript', 'torchscript-folded', 'dynamo', 'dynamo-folded'];

const { path: python, versions } = await findPython(process.argv[2] ?? process.env.PYTHON, console.error);
const folder = await mkdtemp(join(tmpdir(), 'parity-onnx-'));
const script = join(import.meta.dir, 'pytorch', 'export_onnx.py');
const child = Bun.spawn([python, script, folder], { stdout: 'ignore', stderr: 'inherit' });
if ((await child.exited) !== 0) throw new Error(`${script} failed`);
await startDevice('native', { threads: 2 });
console.log(`Largest differences from PyTorch ${versions.torch}, of the largest output`);
let worst = 0;
for (const network of networks) {
  const { shape, images, logits } = JSON.parse(readFileSync(join(folder, `${network}.json`), 'utf8')) as {
    shape: [number, number, number, number];
    images: number[];
    logits: number[];
  };
  for (const name of exports) {
    const file = join(folder, `${network}.${name}.onnx`);
    const external = (location: string) => readFileSync(join(folder, location));
    const { architecture: written, weights } = convertOnnx(readFileSync(file), external);
    const { input, classes = 0 } = written;
    const net = getArchitecture(network, { input, classes, width: null, written });
    const tensors = new Map(weights.map(({ name, shape, data }) => [name, tf.tensor(data, shape)]));
    const outputs = tf.tidy(() =>
      forward(net, tensors, tensors, tf.tensor4d(images, shape), 'relu', { training: false }),
    );
    const numbers = await outputs.data();
    tf.dispose([outputs, ...tensors.values()]);
    const largest = Math.max(...logits.map(Math.abs));
    const difference = Math.max(...logits.map((x, i) => Math.abs(x - (numbers[i] as number)))) / largest;
    worst = Math.max(worst, Number.isFinite(difference) ? difference : Number.POSITIVE_INFINITY);
    const norms = net.buffers.length / 2;
    console.log(
      `${`${network}, ${name}`.padEnd(36)} ${String(norms).padStart(3)} batch norms  ${difference.toExponential(1)}`,
    );
  }
}
await rm(folder, { recursive: true });
process.exitCode = worst <= tolerance ? 0 : 1;
