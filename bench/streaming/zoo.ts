/** A synthetic zoo of ResNet-18 on disk, as large as wanted, and how the system is made to forget that it was just written. */
import { dlopen } from 'bun:ffi';
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { type NamedTensor, writeSafetensors } from '../../src/base/safetensors.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { manifestName, modelFile, tensorName, type ZooManifest } from '../../src/zoo/zoo.ts';

/** The epochs of the ResNet-18 zoo that SANE is trained on. */
const epochs = [21, 22, 23, 24, 25];

const options = { input: [32, 32, 3] as [number, number, number], classes: 10, width: null };
const architecture = getArchitecture('resnet18', options);
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Bytes of a model's file, but for its header. */
const modelBytes = 4 * epochs.length * architecture.state.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/**
 * Writes so many bytes of models at least to folder `dir`. Their weights are normal, cut out of one long vector at random places
 * and scaled as initialisations are: every checkpoint is other bytes, but drawing them all would take longer than writing them.
 */
export async function writeSyntheticZoo(
  dir: string,
  bytes: number,
  report: (done: number, total: number) => void,
): Promise<{ bytes: number; checkpoints: number }> {
  mkdirSync(join(dir, 'models'), { recursive: true });
  const count = Math.ceil(bytes / modelBytes);
  const random = new Random(0, 'bench', 'synthetic zoo');
  const largest = Math.max(...architecture.state.map(({ shape }) => sizeOf(shape)));
  const normals = random.normals(2 * largest);
  const models: ZooManifest['models'] = [];
  for (let m = 0; m < count; m++) {
    const id = `model-${String(m).padStart(4, '0')}`;
    const tensors = epochs.flatMap((epoch) =>
      architecture.state.map(({ name, shape }): NamedTensor => {
        const size = sizeOf(shape);
        const start = random.integer(normals.length - size + 1);
        const scale = 1 / Math.sqrt(Math.max(1, size / (shape[0] as number)));
        const data = normals.slice(start, start + size);
        for (let i = 0; i < size; i++) data[i] = (data[i] as number) * scale;
        return { name: tensorName(epoch, name), shape, data };
      }),
    );
    await writeSafetensors(modelFile(dir, id), tensors);
    models.push({
      ...{ id, seed: m, split: m % 5 < 3 ? 'train' : m % 5 < 4 ? 'val' : 'test' },
      hyperparameters: {
        ...{ optimizer: 'sgd', learning_rate: 0.1, weight_decay: 0, dropout: 0 },
        ...{ activation: 'relu', init: 'kaiming-uniform' },
      },
      checkpoints: epochs.map((epoch) => ({
        ...{ epoch, train_accuracy: 0.5, test_accuracy: 0.5, train_loss: 1, test_loss: 1 },
        ...{ running_train_accuracy: 0.5, running_train_loss: 1 },
      })),
    });
    report(m + 1, count);
  }
  const manifest: ZooManifest = {
    ...{ architecture: architecture.name, options, dataset: 'synthetic', epochs, models },
  };
  await Bun.write(join(dir, manifestName), JSON.stringify(manifest));
  return { bytes: count * modelBytes, checkpoints: count * epochs.length };
}

/** Linux's name of the advice that a file will not be read soon: its pages leave the page cache. */
const dontNeed = 4;

/** Takes the files of a zoo out of the page cache, so that they are read from the disk. */
export function forget(dir: string): void {
  const libc = dlopen('libc.so.6', {
    posix_fadvise: { args: ['i32', 'i64', 'i64', 'i32'], returns: 'i32' },
  });
  for (const name of new Bun.Glob('*.safetensors').scanSync(join(dir, 'models'))) {
    const fd = openSync(join(dir, 'models', name), 'r');
    fsyncSync(fd);
    const code = libc.symbols.posix_fadvise(fd, 0, 0, dontNeed);
    closeSync(fd);
    if (code !== 0) throw new Error(`posix_fadvise: error ${code} for ${name}`);
  }
  libc.close();
}
