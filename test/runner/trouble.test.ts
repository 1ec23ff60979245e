/** Devices that run out of memory or are lost: what the runner makes of what TensorFlow, CUDA and WebGPU say then. */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { describeTrouble, findTrouble } from '../../src/tensor/devices/trouble.ts';
import { Fixture, makePlan, removeFixtures } from './fixture.ts';

setDefaultTimeout(300_000);
afterAll(removeFixtures);

const oom =
  'OOM when allocating tensor with shape[64,1024] and type float on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc';

describe('the message of a failure', () => {
  test.each([
    oom,
    'E0000 cuda_driver.cc:1] failed to allocate 2.00GiB (2147483648 bytes) from device: CUDA_ERROR_OUT_OF_MEMORY: out of memory',
    'RESOURCE_EXHAUSTED: failed to allocate memory',
    'GPUOutOfMemoryError: Allocation failed',
    'vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY',
    'RangeError: Out of memory',
  ])('tells of too little memory: %s', (message) => {
    expect(findTrouble(`what came before\n${message}\nat some place`)).toEqual({
      kind: 'memory',
      line: message,
    });
  });

  test.each([
    'F0000 gpu_event_mgr.cc:225] Unexpected Event status: 1',
    'could not synchronize on CUDA context: CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered',
    'CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure',
    'CUDNN_STATUS_EXECUTION_FAILED in cuda_dnn.cc',
    'Unable to determine the device handle for GPU 0000:01:00.0: GPU is lost.',
    'A valid external Instance reference no longer exists; Device was lost',
    'vkQueueSubmit failed with VK_ERROR_DEVICE_LOST',
  ])('tells of a device that is lost: %s', (message) => {
    expect(findTrouble(message)).toEqual({ kind: 'lost', line: message });
  });

  test.each([
    'loss is NaN',
    'no file left-out',
    'pretraining diverged in epoch 3',
    'the glossary of devices',
  ])('tells of neither: %s', (message) => expect(findTrouble(message)).toBeUndefined());

  test('that is long is cut', () => {
    expect(findTrouble(`${oom} ${'x'.repeat(999)}`)?.line).toHaveLength(244);
  });
});

test('the reason names the device and what to do', () => {
  expect(describeTrouble({ kind: 'memory', line: 'it is full' }, 'Fake 1')).toBe(
    'Fake 1 ran out of memory: it is full. Let fewer jobs share it (--jobs), or lower the batch size in the experiment; no retry does that.',
  );
  expect(describeTrouble({ kind: 'lost', line: 'it is gone' }, 'the device webgpu')).toBe(
    'the device webgpu failed or was reset: it is gone. The same command tries again; if it fails again, restart the driver or leave the device out (--gpus).',
  );
});

describe('a stage whose device', () => {
  const gpus = [{ id: 'fake-trouble', name: 'Fake 1', memoryBytes: 1, env: {} }];

  test('runs out of memory fails, the others go on, and the next run is of the very same stage', async () => {
    const fixture = new Fixture({ sane: { fail: { step: 0, message: oom, seed: 1 } } });
    const plan = makePlan([0, 1]);
    const { outcomes } = await fixture.execute(plan, { gpus, workers: 1 });
    const [done, failed] = plan.runs.map(({ resultKey }) => outcomes.get(resultKey));
    expect(done).toEqual({ state: 'done' });
    expect(failed).toMatchObject({
      failure: { reason: describeTrouble({ kind: 'memory', line: oom }, 'Fake 1') },
    });

    fixture.behave({});
    // Not asked to try failed stages again: this was the machine's trouble.
    const again = await fixture.execute(plan, { gpus, workers: 1 });
    const node = plan.stages.find(({ stage, seed }) => stage === 'sane' && seed === 1)!;
    expect(again.outcomes.get(node.key)).toEqual({ state: 'done' });
    const found = fixture.store.find(node);
    expect(found?.state === 'complete' && found.record.config).toEqual({ ...node.config, seed: 1 });
  });

  test('takes the whole worker along fails with what was printed before, not with what an earlier one printed', async () => {
    const printed = 'F0000 gpu_event_mgr.cc:225] Unexpected Event status: 1';
    const fixture = new Fixture({ sane: { print: printed, kill: { step: 0, signal: 'SIGABRT' } } });
    const plan = makePlan([0]);
    const reasonOf = async () => {
      const { outcomes } = await fixture.execute(plan, { gpus, workers: 1 });
      const outcome = outcomes.get(plan.runs[0]!.resultKey);
      return outcome?.state === 'failed' ? outcome.failure.reason : outcome;
    };
    expect(await reasonOf()).toBe(describeTrouble({ kind: 'lost', line: printed }, 'Fake 1'));
    fixture.behave({ sane: { kill: { step: 0, signal: 'SIGABRT' } } });
    expect(await reasonOf()).toBe('the worker was terminated by SIGABRT');
  });
});
