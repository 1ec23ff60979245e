/** Whole runs on two software adapters, as on two GPUs: jobs tell the adapter that their device is on. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFixtures } from '../runner/fixture.ts';
import { noWebgpu } from '../tensor/devices.ts';
import { copySwiftShader, swiftShader } from '../tensor/webgpu-adapter.ts';
import { ended, experiment, Program, spawn } from './program.ts';

setDefaultTimeout(300_000);
afterAll(removeFixtures);

/** A name as WebGPU gives it to programs. */
const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
const program = new URL('./exp-webgpu.ts', import.meta.url).pathname;

describe.if(!noWebgpu && existsSync(swiftShader))('exp --device webgpu on two adapters', () => {
  let env: Record<string, string>;
  /** By the numbers that doctor gives them. */
  let names: string[];
  beforeAll(async () => {
    const { root } = new Program();
    const VK_DRIVER_FILES = `${swiftShader}:${copySwiftShader(root, 'OtherShader Device')}`;
    // Leases of their own: no other runner's.
    env = { VK_DRIVER_FILES, EXP_WEBGPU_ADAPTER: 'shader', TMPDIR: root };
    const { out } = await ended(spawn(program, ['doctor'], env));
    const [, ...found] =
      /adapter: 0: (\w+ Device \(Subzero\)), computing on the CPU; 1: (\w+ Device \(Subzero\)), computing/.exec(
        out,
      ) ?? [];
    names = found;
    expect(names.toSorted()).toEqual(['OtherShader Device (Subzero)', 'SwiftShader Device (Subzero)']);
  });

  /** The GPU of each job of stage sane, as the runner has recorded it and as the job's device called itself. */
  async function run(...options: string[]) {
    const { file, places, store } = new Program({}, experiment('[0, 1]'));
    const { code, err } = await ended(
      spawn(program, [file, ...places, '--device', 'webgpu', ...options], env),
    );
    const jobs = store.list(['sane']).flatMap((found) => {
      if (found.state !== 'complete') return [];
      const { gpu } = found.record.environment;
      return [{ gpu, computedOn: readFileSync(join(found.dir, 'adapter'), 'utf8') }];
    });
    return { code, err, jobs };
  }

  test('computes one job on each', async () => {
    const { code, err, jobs } = await run('--jobs', '2');
    expect(code).toBe(0);
    expect(err).toContain(`computing on webgpu (${names.join(', ')})`);
    expect(jobs).toHaveLength(2);
    for (const gpu of names) expect(jobs).toContainEqual({ gpu, computedOn: plain(gpu) });
  });

  test('computes all on the one that --gpus names, by the number that doctor gives it', async () => {
    const { code, err, jobs } = await run('--gpus', '1');
    expect(code).toBe(0);
    const [, gpu = ''] = names;
    expect(err).toContain('9 jobs for 2 runs, 1 at a time, about ');
    expect(err).toContain(`\ncomputing on webgpu (${gpu})\n`);
    const job = { gpu, computedOn: plain(gpu) };
    expect(jobs).toEqual([job, job]);
  });

  test('is no --device gpu, with a name that says software', async () => {
    const { file, places } = new Program();
    const { code, err } = await ended(spawn(program, [file, ...places, '--device', 'gpu'], env));
    if (code === 0) return; // A GPU is here.
    expect(code).toBe(2);
    expect(err).toContain(
      `\n  webgpu: 0: ${names[0]}, computing on the CPU; 1: ${names[1]}, computing on the CPU. Select it with --device webgpu.\n`,
    );
  });
});
