/**
 * One side of sane-step.ts: a training step for each line on standard input, its timing as a line of JSON on standard
 * output. The argument says which: `ours` is the wasm device as this project starts it, `untouched` tfjs's own.
 */
import { dirname, join } from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { startDevice } from '../src/engine/device.ts';
import * as ops from '../src/engine/ops.ts';
import { AdamW } from '../src/engine/optimizers.ts';
import { tf } from '../src/engine/tf.ts';
import * as naive from '../test/engine/naive-ops.ts';
import { Autoencoder, batch } from './sane-model.ts';

/** One step's time, and the loss before it, which shows that both sides compute the same. */
export interface Timing {
  ms: number;
  loss: number;
}

const learningRate = 1e-4;
const weightDecay = 3e-9;
type Step = (gradients: tf.NamedTensorMap) => void;

if (import.meta.main) {
  const untouched = process.argv[2] === 'untouched';
  if (untouched) {
    const folder = dirname(Bun.resolveSync('@tensorflow/tfjs-backend-wasm/package.json', import.meta.dir));
    setWasmPaths(join(folder, 'wasm-out/'));
    await tf.setBackend('wasm');
  } else {
    await startDevice('wasm', { threads: 1 });
  }
  const model = new Autoencoder();
  const step = untouched ? plainStep() : ourStep(model);
  const { x, ids } = batch();
  const variables = model.parameters.map(({ variable }) => variable);
  for await (const _ of console) {
    const start = performance.now();
    const { value, grads } = tf.variableGrads(() => model.loss(untouched ? naive : ops, x, ids), variables);
    step(grads);
    const [loss = Number.NaN] = value.dataSync<'float32'>();
    const timing: Timing = { ms: performance.now() - start, loss };
    tf.dispose([value, grads]);
    console.log(JSON.stringify(timing));
  }
}

function ourStep({ parameters }: Autoencoder): Step {
  const optimizer = new AdamW(parameters, { weightDecay });
  return (gradients) => optimizer.step(gradients, { learningRate });
}

/** tfjs's Adam; its weight decay, which it lacks, is nothing to the time of a step. */
function plainStep(): Step {
  const optimizer = tf.train.adam(learningRate, 0.9, 0.999, 1e-8);
  return (gradients) =>
    optimizer.applyGradients(Object.entries(gradients).map(([name, tensor]) => ({ name, tensor })));
}
