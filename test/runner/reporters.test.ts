import { describe, expect, test } from 'bun:test';
import { stripVTControlCharacters } from 'node:util';
import type { RunnerEvent } from '../../src/runner/events.ts';
import { cut, formatBar, formatDuration, formatNumber } from '../../src/runner/reporters/format.ts';
import { JsonReporter } from '../../src/runner/reporters/json.ts';
import { PlainReporter } from '../../src/runner/reporters/plain.ts';
import { TerminalReporter } from '../../src/runner/reporters/terminal.ts';

const start: RunnerEvent = {
  event: 'start',
  experiment: 'tiny',
  runs: 2,
  jobs: 4,
  workers: 2,
  store: '/store',
  expectedSeconds: 90,
  expectedWork: 180,
};
const zoo = { job: 'zoo-1', label: 'zoo cnn-small/mnist part 1/6' };
const progress = (done: number): RunnerEvent => ({
  event: 'job-progress',
  ...zoo,
  progress: { done, total: 200, unit: 'model epochs', metric: { name: 'test accuracy', value: 0.81234 } },
});

test('texts of numbers', () => {
  expect([0.04, 9.96, 59.4, 60, 3599.6, 7384].map(formatDuration)).toEqual([
    '0.0 s',
    '10 s',
    '59 s',
    '1:00 min',
    '1:00:00 h',
    '2:03:04 h',
  ]);
  const days = (count: number) => formatDuration(count * 86_400);
  expect([3, 59, 61, 729, 731, 17_600].map(days)).toEqual([
    '3 days',
    '59 days',
    '2 months',
    '24 months',
    '2 years',
    '48 years',
  ]);
  expect([0.000012345, 0.5, 12.345, 123456].map(formatNumber)).toEqual([
    '0.0000123',
    '0.5',
    '12.3',
    '123456',
  ]);
  expect([-1, 0, 0.5, 1, 2].map((fraction) => formatBar(fraction, 4))).toEqual([
    '────',
    '────',
    '━━──',
    '━━━━',
    '━━━━',
  ]);
  expect([cut('abcdef', 6), cut('abcdef', 5), cut('abc', 0)]).toEqual(['abcdef', 'abcd…', '…']);
});

describe('on a terminal', () => {
  /** A reporter on a terminal of a width, with a clock that the test sets. */
  function make(columns: number, color = false) {
    const clock = { ms: 0 };
    const written: string[] = [];
    const terminal = { write: (text: string) => void written.push(text), columns: () => columns, color };
    const reporter = new TerminalReporter(terminal, () => clock.ms);
    return { clock, written, reporter };
  }

  test('a line for each job and one for the whole, which say how fast and how long', () => {
    const { clock, reporter } = make(140);
    reporter.report(start);
    reporter.report({ event: 'job-start', expectedSeconds: 45, ...zoo });
    reporter.report(progress(100)); // What an earlier run did is no speed of this one.
    clock.ms = 10_000;
    reporter.report(progress(150));
    expect(reporter.lines()).toEqual([
      'zoo cnn-small/mnist part 1/6                     ━━━━━━━━━━━━━━━───── 75%  10 s left  test accuracy 0.812  5 model epochs/s',
      'tiny: 0 of 4 jobs  10 s, about 1:05 min left',
    ]);
    reporter.report({ event: 'end', seconds: 10 });
  });

  test.each([20, 33, 47, 61, 80, 200])('lines fit %d columns, in colour too', (columns) => {
    const { clock, reporter } = make(columns, true);
    reporter.report(start);
    reporter.report({ event: 'job-start', expectedSeconds: 45, ...zoo });
    reporter.report({ event: 'job-start', expectedSeconds: 45, job: 'other', label: 'x'.repeat(100) });
    clock.ms = 5000;
    reporter.report(progress(0));
    clock.ms = 65_000;
    reporter.report(progress(7));
    const plain = reporter.lines().map(stripVTControlCharacters);
    expect(plain).toHaveLength(3);
    expect(Math.max(...plain.map((line) => Bun.stringWidth(line)))).toBeLessThan(Math.max(columns, 21));
    reporter.report({ event: 'end', seconds: 65 });
  });

  test('what ends scrolls up, and nothing is left of the redrawn lines', () => {
    const { written, reporter } = make(80);
    reporter.report(start);
    reporter.report({ event: 'job-start', expectedSeconds: 45, ...zoo });
    reporter.report({ event: 'job-done', ...zoo, seconds: 3 });
    reporter.report({ event: 'job-failed', ...zoo, reason: 'out of memory', log: '/log' });
    reporter.report({ event: 'end', seconds: 4 });
    const lines = written.join('').split('\n');
    expect(lines).toContain('✓ zoo cnn-small/mnist part 1/6  3.0 s');
    expect(written.join('')).toContain(
      '\x1b[1A\x1b[J✗ zoo cnn-small/mnist part 1/6: out of memory\n  /log\n',
    );
    expect(written.at(-1)).toBe('\x1b[1A\x1b[J');
  });
});

test('plain lines are few', () => {
  const clock = { ms: 0 };
  let text = '';
  const reporter = new PlainReporter(
    (more) => {
      text += more;
    },
    10_000,
    () => clock.ms,
  );
  reporter.report(start);
  reporter.report({ event: 'job-start', expectedSeconds: 45, ...zoo });
  for (let i = 0; i <= 250; i++) {
    clock.ms = i * 100;
    reporter.report(progress(i / 2.5));
  }
  reporter.report({ event: 'job-done', ...zoo, seconds: 25 });
  reporter.report({
    event: 'stage-skipped',
    label: 'sane x',
    jobs: 1,
    why: 'computed by another process',
    expectedSeconds: 45,
  });
  reporter.report({ event: 'job-failed', ...zoo, reason: 'no', log: '/log' });
  reporter.report({ event: 'end', seconds: 26 });
  expect(text).toBe(
    `tiny: 4 jobs for 2 runs, 2 at a time, about 1:30 min
${zoo.label}: started
${zoo.label}: 20%, 40 s left, test accuracy 0.812, 4 model epochs/s; all jobs about 1:35 min left
${zoo.label}: 40%, 30 s left, test accuracy 0.812, 4 model epochs/s; all jobs about 1:30 min left
${zoo.label}: done in 25 s (1 of 4 jobs, about 38 s left)
sane x: skipped, computed by another process
${zoo.label}: FAILED: no
  log: /log
26 s in total
`,
  );
});

test('JSON lines are the events with their time', () => {
  const lines: string[] = [];
  new JsonReporter((text) => void lines.push(text)).report(start);
  const { time, ...event } = JSON.parse(lines[0] as string);
  expect(event).toEqual(start);
  expect(Date.parse(time)).toBeCloseTo(Date.now(), -4);
});
