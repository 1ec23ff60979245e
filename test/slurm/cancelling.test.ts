/** Which jobs are cancelled with an experiment. */
import { expect, test } from 'bun:test';
import { chooseJobs, describeLeft } from '../../src/runner/launchers/slurm/cancelling.ts';
import type { LiveJob, SubmittedPlan } from '../../src/runner/launchers/slurm/jobs.ts';

const plan = (name: string, ...keys: string[]): SubmittedPlan => ({
  id: `${name}-1`,
  name,
  keys: new Set(keys),
});
const job = (id: string, of: SubmittedPlan, keys: string[], isOwn = true): LiveJob => ({
  ...{ id, name: '', state: 'PENDING', reason: '', isOwn, number: 1, array: 0, index: 0 },
  ...{ tasks: keys.map((key) => ({ key })), plan: of },
});

const a = plan('a', 'dataset', 'zoo', 'sane-a', 'table-a');
const b = plan('b', 'dataset', 'zoo', 'sane-b');
const c = plan('c', 'other');
const ofA = { isChosen: ({ plan }: LiveJob) => plan === a, isDone: (key: string) => key === 'dataset' };
const ids = (jobs: readonly LiveJob[]) => jobs.map(({ id }) => id);

test('what jobs of others need and is not done stays, unless that is to go, too', () => {
  const queue = [
    ...[job('1', a, ['zoo', 'sane-a']), job('2', a, ['dataset', 'table-a'])],
    ...[job('3', b, ['sane-b']), job('4', c, ['other'])],
  ];
  const chosen = chooseJobs(queue, ofA);
  expect([ids(chosen.cancelled), ids(chosen.needed)]).toEqual([['2'], ['1']]);
  expect(describeLeft(chosen)).toEqual([
    '1 job left in the queue, needed by b; exp cancel --shared cancels all',
  ]);
  const all = chooseJobs(queue, { ...ofA, shared: true });
  expect([ids(all.cancelled), describeLeft(all)]).toEqual([['1', '2'], []]);
  // Nobody in the queue waits for it any more.
  expect(ids(chooseJobs([...queue.slice(0, 2), queue[3] as LiveJob], ofA).cancelled)).toEqual(['1', '2']);
});

test('what another user submitted stays', () => {
  const chosen = chooseJobs([job('1', a, ['zoo'], false), job('2', a, ['sane-a'])], ofA);
  expect(ids(chosen.cancelled)).toEqual(['2']);
  expect(describeLeft(chosen)).toEqual(['1 job left in the queue, submitted by another user']);
});
