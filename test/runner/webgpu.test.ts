/** A GPU that is lost in the middle of a job, for real: a worker's device on SwiftShader is destroyed. */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noWebgpu } from '../tensor/devices.ts';
import { swiftShader } from '../tensor/webgpu-adapter.ts';
import { Fixture, makePlan, removeFixtures } from './fixture.ts';

setDefaultTimeout(300_000);
afterAll(removeFixtures);

describe.if(!noWebgpu && existsSync(swiftShader))('a job whose GPU is lost', () => {
  test('fails with the reason, the others go on, and the next run makes up for it', async () => {
    const fixture = new Fixture();
    const lose = join(fixture.data, 'lose-1');
    writeFileSync(lose, '');
    const env = { VK_DRIVER_FILES: swiftShader, EXP_WEBGPU_ADAPTER: 'SwiftShader' };
    const options = {
      device: 'webgpu',
      gpus: [{ id: 'lost-webgpu', name: 'SwiftShader', env }],
      stagesModule: new URL('./webgpu-stages.ts', import.meta.url).href,
    };
    const plan = makePlan([1, 2]);
    const run = async () => {
      const { outcomes } = await fixture.execute(plan, options);
      return plan.runs.map(({ resultKey }) => outcomes.get(resultKey));
    };
    const done = { state: 'done' } as const;
    const [lost, other] = await run();
    expect(other).toEqual(done);
    expect(lost).toMatchObject({
      failure: {
        reason: expect.stringMatching(
          /^SwiftShader failed or was reset: .*lost.*\. The same command tries again; if it fails again, restart/,
        ),
      },
    });
    rmSync(lose);
    expect(await run()).toEqual([done, done]);
  });
});
