import { expect, test } from 'bun:test';
import { Remaining } from '../../src/runner/reporters/remaining.ts';

test('what an interrupted run had done counts as done, and not for how fast the rest will be', () => {
  const remaining = new Remaining();
  const base = { experiment: 'tiny', runs: 1, store: '/store', expectedSeconds: null };
  remaining.observe({ event: 'start', ...base, jobs: 3, workers: 1, expectedWork: 3000 }, 0);
  const begin = (job: string, nowMs: number) =>
    remaining.observe({ event: 'job-start', job, label: job, expectedSeconds: 1000 }, nowMs);
  const report = (job: string, done: number, nowMs: number) =>
    remaining.observe(
      { event: 'job-progress', job, label: job, progress: { done, total: 100, unit: 'models' } },
      nowMs,
    );

  begin('whole', 0); // was finished before
  report('whole', 100, 100);
  remaining.observe({ event: 'job-done', job: 'whole', label: 'whole', seconds: 0.2 }, 200);
  expect(remaining.seconds(200)).toBe(2000);

  begin('half', 200); // was half finished, and its other half takes twice as long as expected
  report('half', 50, 200);
  expect(remaining.seconds(200)).toBe(1500);
  report('half', 75, 500_200);
  expect(remaining.seconds(500_200)).toBe((250 + 1000) * 2);
  remaining.observe({ event: 'job-done', job: 'half', label: 'half', seconds: 1000 }, 1_000_200);
  expect(remaining.seconds(1_000_200)).toBe(2000);
});

test('what a job prepares in another unit counts for nothing', () => {
  const remaining = new Remaining();
  const base = { experiment: 'tiny', runs: 1, store: '/store', expectedSeconds: null };
  remaining.observe({ event: 'start', ...base, jobs: 2, workers: 2, expectedWork: 2000 }, 0);
  for (const job of ['a', 'b'])
    remaining.observe({ event: 'job-start', job, label: job, expectedSeconds: 1000 }, 0);
  const report = (unit: string, done: number, nowMs: number) => {
    for (const job of ['a', 'b'])
      remaining.observe(
        { event: 'job-progress', job, label: job, progress: { done, total: 100, unit } },
        nowMs,
      );
  };
  report('samples', 0, 1000);
  report('samples', 100, 5000);
  report('steps', 50, 6000); // of a checkpoint
  expect(remaining.seconds(6000)).toBe(500);
  report('steps', 51, 26_000); // each step takes twice as long as expected
  expect(remaining.seconds(26_000)).toBeCloseTo(980, 6);
});
