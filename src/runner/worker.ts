/** A child process that does one job: a stage, or one part of it. Its first line of input says which. */
import { writeSync } from 'node:fs';
import type { RunnableStage, StageContext } from '../stages/stage.ts';
import { DeviceError, startDevice } from '../tensor/devices/registry.ts';
import { describeTrouble, findTrouble } from '../tensor/devices/trouble.ts';
import { describeEnvironment } from './environment.ts';
import { type JobSpec, messagesFd, type WorkerMessage } from './protocol.ts';
import { Store } from './store.ts';

const progressEveryMs = 100;

/** Sends to the runner. If the runner is gone, this process exits. */
function send(message: WorkerMessage): void {
  try {
    writeSync(messagesFd, `${JSON.stringify(message)}\n`);
  } catch {
    process.exit(1);
  }
}

/** What a failure calls the device. */
let deviceName = 'the device';

function fail(error: unknown): never {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  console.error(stack ?? message);
  const trouble = findTrouble(message);
  // A device that fails or does not start and a full disk are this machine's troubles, not the stage's.
  const isMachines =
    trouble || error instanceof DeviceError || (error instanceof Error && 'syscall' in error);
  const reason = trouble ? describeTrouble(trouble, deviceName) : message;
  send({ type: 'failed', reason, lasting: !isMachines });
  process.exit(1);
}

function readSpec(): Promise<JobSpec> {
  const { promise, resolve } = Promise.withResolvers<JobSpec>();
  let text = '';
  process.stdin.setEncoding('utf8');
  process.stdin.on('data', (chunk) => {
    text += chunk;
    if (text.endsWith('\n')) resolve(JSON.parse(text));
  });
  process.stdin.on('end', () => process.exit(1));
  return promise;
}

function makeReport(): StageContext['report'] {
  let sentAt = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const now = performance.now();
    if (now - sentAt < progressEveryMs && progress.done < progress.total) return;
    sentAt = now;
    send({ type: 'progress', progress });
  };
}

async function work(spec: JobSpec): Promise<void> {
  const startedAt = performance.now();
  const { node, part, storeRoot } = spec;
  deviceName = spec.gpu ?? `the device ${spec.device}`;
  const store = new Store(storeRoot);
  const { stages } = (await import(spec.stagesModule)) as { stages: Record<string, RunnableStage> };
  const stage = stages[node.stage];
  if (!stage) throw new Error(`${spec.stagesModule} has no stage ${node.stage}`);
  const implementation = await stage.load();
  const note = (text: string) => console.error(text);
  const device = stage.usesDevice
    ? await startDevice(spec.device, { threads: spec.threads, note })
    : undefined;

  const context: StageContext = {
    config: { ...node.config, ...node.options },
    inputs: spec.inputs,
    dir: store.partial(node),
    dataDir: spec.dataDir,
    report: makeReport(),
  };
  if (part !== undefined) {
    if (!implementation.executePart)
      throw new Error(`stage ${node.stage} cannot be divided into ${node.parts} parts`);
    await implementation.executePart(context, part, node.parts);
    return;
  }
  await implementation.execute(context);
  const { parts: _, options: __, ...identity } = node;
  await store.commit(node, {
    ...identity,
    workload: spec.workload,
    environment: describeEnvironment(device?.name ?? null, spec.gpu ?? null),
    timing: {
      finishedAt: new Date().toISOString(),
      seconds: spec.earlierSeconds + (performance.now() - startedAt) / 1000,
      resumed: spec.resumed,
    },
  });
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
await work(await readSpec()).catch(fail);
send({ type: 'done' });
// Standard input stays open as long as the runner lives, and would keep this process.
process.exit(0);
