/** Models, epochs and measures as the paths and names of training scripts have them. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { draftList } from '../../src/zoo/import/draft.ts';
import { identify, measuredBy } from '../../src/zoo/import/names.ts';

test.each([
  ['a/epoch-10.pt', 'a', 10],
  ['a/checkpoint_000010/checkpoints', 'a', 10],
  ['runs/a/epoch=7-step=300.ckpt', 'runs/a', 7],
  ['runs/3/checkpoint-500/model.safetensors', 'runs/3', 500],
  ['resnet18_seed3_ep20.pth.tar', 'resnet18_seed3', 20],
  ['seed3.pt', 'seed3', undefined],
  ['a/10.pt', 'a', 10],
  ['a/best.pt', 'a', undefined],
  ['snapshots/x/model.safetensors', 'snapshots/x', undefined],
  ['x/model.safetensors.index.json', 'x', undefined],
  ['model.pt', 'model', undefined],
])('%s is model %s at epoch %p', (path, model, epoch) => {
  expect(identify(path)).toEqual({ model, epoch });
});

test.each([
  ['best_acc1', 'test_accuracy'],
  ['metrics.val_acc', 'test_accuracy'],
  ['train_acc', 'train_accuracy'],
  ['training_accuracy', 'train_accuracy'],
  ['test_loss', 'test_loss'],
  ['loss', undefined],
  ['lr', undefined],
])('%s is %p', (name, measure) => {
  expect(measuredBy(name) as string | undefined).toBe(measure);
});

test('epoch and accuracies are taken from the checkpoints where they are, per cent as fractions', async () => {
  const { entries } = await draftList(join(import.meta.dir, 'formats', 'golden', 'kinds'));
  const entry = entries.find(({ file }) => file === 'imagenet.pth.tar');
  expect(entry).toEqual({ file: 'imagenet.pth.tar', model: 'imagenet', epoch: 5, test_accuracy: 0.615 });
});
