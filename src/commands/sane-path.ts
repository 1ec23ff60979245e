/** What `--sane` names: a pretrained SANE by its path, or an experiment by its file, which stands for its SANE in the store beside it. */
import { dirname, resolve } from 'node:path';
import { Store } from '../runner/store.ts';
import { loadPlan } from './option-values.ts';
import { UsageError } from './usage.ts';

/** The path of the pretrained SANE. Throws a UsageError where the experiment has not just one that is finished. */
export async function sanePath(path: string): Promise<string> {
  if (!/\.ya?ml$/i.test(path)) return path;
  const plan = await loadPlan({ positionals: [path], values: new Map() });
  const store = new Store(resolve(dirname(path), '.exp'));
  const planned = plan.stages.filter(({ stage }) => stage === 'sane');
  if (planned.length === 0)
    throw new UsageError(`${path}: none of its runs uses SANE`, 'name an experiment that pretrains one');
  const finished = planned.filter((node) => store.find(node)?.state === 'complete');
  const [first, ...others] = finished;
  if (first === undefined)
    throw new UsageError(`${path}: its SANE is not pretrained yet`, `run it first: exp ${path}`);
  if (others.length === 0) return store.folder(first);
  const folders = finished.map((node) => `${store.folder(node)}  ${node.label}`);
  throw new UsageError(`${path}: it has several SANEs`, `name the folder of one:\n  ${folders.join('\n  ')}`);
}
