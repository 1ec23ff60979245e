/** Models, epochs and measures as the paths and names of training scripts have them. */
import { expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '../../src/base/safetensors.ts';
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
  ['train.acc', 'train_accuracy'],
  ['metrics.accuracy', 'test_accuracy'],
  ['val.loss', 'test_loss'],
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

test('where validation and test are both there, the test accuracy is that of the test', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'draft-'));
  const weights = [{ name: 'fc.weight', shape: [1, 2], data: Float32Array.of(1, 2) }];
  const beside = { val_acc: '0.7', best_test_acc: '0.8', test_acc: '0.6', 'train.acc': '0.9' };
  await writeSafetensors(join(dir, 'a.safetensors'), weights, beside);
  const measured = { test_accuracy: 0.6, train_accuracy: 0.9 };
  const draft = await draftList(dir);
  expect(draft.entries).toEqual([{ file: 'a.safetensors', model: 'a', epoch: 0, ...measured }]);
  expect(draft.takenForTest).toEqual([]);

  const table = join(dir, 'table.csv');
  writeFileSync(table, 'test_acc,model,val_acc,train_acc\n0.5,a,0.7,0.8\n');
  const { entries } = await draftList(dir, { table });
  expect(entries[0]).toMatchObject({ test_accuracy: 0.5, train_accuracy: 0.8 });
  rmSync(dir, { recursive: true });
});

test('what stands for the test accuracy without saying so is named, unless a table has the accuracy', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'draft-'));
  const weights = [{ name: 'fc.weight', shape: [1, 2], data: Float32Array.of(1, 2) }];
  await writeSafetensors(join(dir, 'a.safetensors'), weights, {
    val_acc: '0.7',
    val_loss: '1',
    train_acc: '1',
  });
  const draft = await draftList(dir);
  expect(draft.entries[0]).toMatchObject({ test_accuracy: 0.7, test_loss: 1 });
  expect(draft.takenForTest.toSorted()).toEqual(['val_acc', 'val_loss']);
  const table = join(dir, 'table.csv');
  writeFileSync(table, 'model,test_acc\na,0.5\n');
  expect((await draftList(dir, { table })).takenForTest).toEqual(['val_loss']);
  writeFileSync(table, 'model,acc,best_acc\na,0.5,0.6\n');
  expect((await draftList(dir, { table })).takenForTest).toEqual(['val_loss', 'acc']);
  rmSync(dir, { recursive: true });
});

test('rows of a folder are of its checkpoints by their epochs', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'draft-'));
  const weights = [{ name: 'fc.weight', shape: [1, 2], data: Float32Array.of(1, 2) }];
  mkdirSync(join(dir, 'a'));
  for (const epoch of [1, 2]) await writeSafetensors(join(dir, 'a', `epoch_${epoch}.safetensors`), weights);
  const table = join(dir, 'table.csv');
  writeFileSync(table, 'file,epoch,test_acc\na,1,0.5\na,2,0.6\n');
  const { entries, dropped } = await draftList(dir, { table });
  expect(entries.map(({ epoch, test_accuracy }) => [epoch, test_accuracy])).toEqual([
    [1, 0.5],
    [2, 0.6],
  ]);
  expect(dropped).toEqual([]);
  rmSync(dir, { recursive: true });
});
