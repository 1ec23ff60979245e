import { getArchitecture } from '../../src/nets/registry.ts';
import type { Row } from '../row.ts';
import { gpuRows } from './gpu.ts';
import { matrixProduct } from './matrix-product.ts';
import { byFormat, resnet18Step } from './resnet18-step.ts';
import { saneEmbedding } from './sane-embedding.ts';
import { saneStep } from './sane-step.ts';
import { mnistZoo, onCpu, zooTraining } from './zoo-training.ts';

const cnnSmall = getArchitecture('cnn-small', { input: [28, 28, 1], classes: 10, width: null });
const cnnLarge = getArchitecture('cnn-large', { input: [32, 32, 3], classes: 10, width: null });

/** Every row, in the order in which they are measured and shown. */
export const rows: readonly Row[] = [
  saneStep(128, 'native', 1.6, 3),
  saneStep(256, 'native', 1.5, 1),
  saneStep(512, 'native', 1.5, 1),
  saneStep(128, 'wasm', 0.8, 1),
  saneEmbedding,
  // The settings of the paper's MNIST and CIFAR-10 zoos.
  zooTraining(cnnSmall, onCpu(25), mnistZoo),
  zooTraining(cnnLarge, onCpu(10), {
    ...{ activation: 'gelu', init: 'kaiming-uniform', learning_rate: 1e-4, weight_decay: 1e-2 },
  }),
  resnet18Step({ name: 'resnet18-step', device: 'native', batch: 32, wanted: 1.3, variants: byFormat }),
  matrixProduct(1024, 20),
  matrixProduct(2048, 3),
];

/** Rows that are measured together: those of the CPU, those of a GPU, and the latter at a size to try the bench itself. */
export const rowSets = {
  cpu: () => rows,
  gpu: () => gpuRows(false),
  tiny: () => gpuRows(true),
} satisfies Record<string, () => readonly Row[]>;

export type RowSet = keyof typeof rowSets;
