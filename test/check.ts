/**
 * `bun run check`: type check, lint and every test; the exit code is not 0 if any of them fails, and the last line counts
 * the tests as `N passed, N failed` (Bun's own summary has another form). A type or lint failure counts as one failed.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { webgpuEnvironment } from './webgpu-packages.ts';

const root = new URL('..', import.meta.url).pathname;

/** Runs a command in the project's folder with its output on the screen; whether it succeeded. */
async function succeeds(command: string[], added: Record<string, string> = {}): Promise<boolean> {
  console.log(`$ ${command.join(' ')}`);
  const env = { ...process.env, ...added };
  const child = Bun.spawn(command, { cwd: root, env, stdin: 'ignore', stdout: 'inherit', stderr: 'inherit' });
  return (await child.exited) === 0;
}

/** The counts in the root element of Bun's JUnit report; undefined if there is no complete report. */
async function counts(
  report: string,
): Promise<{ tests: number; failures: number; skipped: number } | undefined> {
  const xml = await readFile(report, 'utf8').catch(() => '');
  const element = /<testsuites [^>]*>/.exec(xml)?.[0] ?? '';
  const number = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(element)?.[1] ?? Number.NaN);
  const result = { tests: number('tests'), failures: number('failures'), skipped: number('skipped') };
  return Object.values(result).every(Number.isFinite) ? result : undefined;
}

const scratch = await mkdtemp(join(tmpdir(), 'sane-check-'));
const report = join(scratch, 'junit.xml');
const bin = (name: string) => join(root, 'node_modules', '.bin', name);

const steps = [
  await succeeds([bin('tsc'), '--noEmit']),
  await succeeds([bin('biome'), 'check', '--error-on-warnings', '.']),
];
// A process for each core takes one test file after the other; --no-isolate keeps what they have loaded.
// The slowest come first, so that no process ends long before the other; `--update-timings` writes what they take.
const processes = ['--parallel', '--no-isolate', `--timings=${join(import.meta.dir, 'timings.json')}`];
const test = ['test', ...processes, '--timeout=300000', '--reporter=junit', `--reporter-outfile=${report}`];
const testsOk = await succeeds([process.execPath, ...test], await webgpuEnvironment());
const counted = await counts(report);
await rm(scratch, { recursive: true, force: true });

let failed = (counted?.failures ?? 0) + steps.filter((ok) => !ok).length;
// A crash of the test runner itself leaves no failing test behind, but is a failure.
if (failed === 0 && (!testsOk || !counted)) failed = 1;
const passed =
  (counted ? counted.tests - counted.failures - counted.skipped : 0) + steps.filter(Boolean).length;
const skipped = counted?.skipped ? `, ${counted.skipped} skipped` : '';
console.log(`${passed} passed, ${failed} failed${skipped}`);
process.exit(failed === 0 ? 0 : 1);
