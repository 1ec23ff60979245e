/** What the names that training scripts give to files and numbers say: a checkpoint's model and epoch, and what was measured. */
import type { Measured } from './found.ts';

export type MeasuredName = keyof Measured;

/** Words before a number that counts epochs, in a path; those of the second kind count them only where there is none of the first. */
const counted = (words: string) =>
  new RegExp(`(?:^|(?<=[\\W_]))(?:${words})[-_=. ]*(\\d+)(?=$|[\\W_])`, 'gi');
const epochWords = counted('epoch|ep|e');
const otherWords = counted('checkpoint|ckpt|step|iter');

/** Names of files that say nothing about the model. */
const generic =
  /^(checkpoints?|ckpt|model|best|last|latest|final|state|state_dict|weights|pytorch_model|net|params)?$/i;

/** How checkpoints' names end. */
const ending = /\.(pt|pth|th|bin|ckpt|model|safetensors|pkl)(\.tar|\.index\.json)?$/i;

/** Model and epoch that a path says; the epoch is undefined where it says none. */
export function identify(path: string): { model: string; epoch: number | undefined } {
  const plain = path.replace(ending, '');
  // A stem that is a number alone counts epochs too; other numbers without a word before them may be seeds.
  const found =
    [...plain.matchAll(epochWords)].at(-1) ??
    [...plain.matchAll(otherWords)].at(-1) ??
    /(?<=^|\/)(\d+)$/.exec(plain);
  const epoch = found && Number.isSafeInteger(Number(found[1])) ? Number(found[1]) : undefined;
  const rest = plain
    .replace(epochWords, '')
    .replace(otherWords, '')
    .replace(/(?<=^|\/)\d+$/, '');
  const parts = rest
    .split('/')
    .map((part) => part.replace(/^[\W_]+|[\W_]+$/g, ''))
    .filter((part) => part !== '');
  while (parts.length > 1 && generic.test(parts.at(-1) as string)) parts.pop();
  return { model: parts.join('/') || path, epoch };
}

const splitWords = 'running_train|train|training|test|testing|val|valid|validation|eval';

/** The last part of a dotted name; where that before it is a split, as in `test.acc`, with it. */
function lastOf(name: string): string {
  const [last = '', before = ''] = name.toLowerCase().split('.').reverse();
  return new RegExp(`^(${splitWords})$`).test(before) ? `${before}_${last}` : last;
}

/** 0 for what is surely of the test images; more for what may be of others, of validation or of the best epoch so far. */
const doubt = (name: string): number => {
  const last = lastOf(name);
  return last.startsWith('best') ? 2 : last.startsWith('test') ? 0 : 1;
};

/** Puts what is surely of the test images first, as both can be there. */
export const bySurety = (one: string, other: string): number => doubt(one) - doubt(other);

/** Whether a name is read as a measure of the test images without saying that it is one. */
export const isTakenForTest = (name: string): boolean =>
  (measuredBy(name)?.startsWith('test_') ?? false) && doubt(name) > 0;

/** What a number beside the weights, or a column of a table, is; undefined: none of what a list has. */
export function measuredBy(name: string): MeasuredName | undefined {
  const [, split = '', what = ''] =
    new RegExp(`^(?:best_?)?(${splitWords})?[_-]?(acc1?|accuracy|top1|acc@1|prec1?|loss)$`).exec(
      lastOf(name),
    ) ?? [];
  if (what === '') return undefined;
  // A loss that does not say of what is the training's last batch more often than not.
  if (what === 'loss' && split === '') return undefined;
  const side = split === 'running_train' ? split : split.startsWith('train') ? 'train' : 'test';
  return what === 'loss' ? `${side}_loss` : `${side}_accuracy`;
}
