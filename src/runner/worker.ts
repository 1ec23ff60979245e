/** A child process that does one job: a stage, or one part of it. Its first line of input says which. */
import { writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { relative } from 'node:path';
import { UnreadableFile } from '../base/file-errors.ts';
import { Lease, type LeaseName } from '../base/lease.ts';
import { wholeConfig } from '../experiment/keys.ts';
import type { RunnableStage, StageContext } from '../stages/stage.ts';
import { DeviceError } from '../tensor/devices/device.ts';
import { describeTrouble, findTrouble } from '../tensor/devices/trouble.ts';
import { describeEnvironment } from './environment.ts';
import { type JobSpec, messagesFd, type WorkerMessage } from './protocol.ts';
import { Store } from './store.ts';
import { verify } from './verify.ts';

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
  // A device that fails or does not start, a full disk and a damaged file are this machine's troubles, not the stage's.
  const isMachines =
    trouble ||
    error instanceof DeviceError ||
    error instanceof UnreadableFile ||
    error instanceof LeaseLost ||
    (error instanceof Error && 'syscall' in error);
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

/** A worker whose stage is another process's now. What it writes is in nobody's way. */
class LeaseLost extends Error {
  override readonly name = 'LeaseLost';

  constructor() {
    super('another process took the stage over');
  }
}

/** Joins the leases, so that nobody else takes them while this process lives, whatever becomes of the runner. */
function joinLeases(names: readonly LeaseName[]): Lease[] {
  return names.map((name) => {
    const lease = Lease.join(name);
    if (!lease) throw new LeaseLost();
    lease.lost.addEventListener('abort', () => fail(new LeaseLost()));
    return lease;
  });
}

/** Throws if an input is not what it was when it was finished. */
async function checkInputs(inputs: Record<string, string>): Promise<void> {
  for (const [name, dir] of Object.entries(inputs)) {
    const damage = await verify(dir);
    if (damage === undefined) continue;
    const remedy = 'The same command sets it aside and computes it again.';
    throw new UnreadableFile(
      dir,
      `the input ${name} was damaged while the experiment ran: ${damage}. ${remedy}`,
    );
  }
}

/**
 * Does the work; where a file of earlier, interrupted work in the stage's folder turns out to be damaged, without that file, each of them once.
 */
async function withoutDamaged(dir: string, work: () => Promise<void>): Promise<void> {
  for (const removed = new Set<string>(); ; ) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UnreadableFile) || relative(dir, error.path).startsWith('..')) throw error;
      if (removed.has(error.path)) throw error;
      removed.add(error.path);
      console.error(`${error.message}; the work that it holds is done again`);
      await rm(error.path);
    }
  }
}

/** Devices are loaded for the stages that use one. */
async function startDevice({ device, threads }: JobSpec, note: (line: string) => void) {
  const devices = await import('../tensor/devices/registry.ts');
  return devices.startDevice(device, { threads, note });
}

async function work(spec: JobSpec): Promise<void> {
  const startedAt = performance.now();
  const { node, part, storeRoot } = spec;
  deviceName = spec.gpu ?? `the device ${spec.device}`;
  const leases = joinLeases(spec.leases);
  const store = new Store(storeRoot);
  await checkInputs(spec.inputs);
  const { stages } = (await import(spec.stagesModule)) as { stages: Record<string, RunnableStage> };
  const stage = stages[node.stage];
  if (!stage) throw new Error(`${spec.stagesModule} has no stage ${node.stage}`);
  const implementation = await stage.load();
  const note = (text: string) => console.error(text);
  const device = stage.usesDevice ? await startDevice(spec, note) : undefined;

  const config = wholeConfig(node);
  const context: StageContext = {
    config: { ...config, ...node.options },
    inputs: spec.inputs,
    dir: spec.dir,
    dataDir: spec.dataDir,
    report: makeReport(),
  };
  if (part !== undefined) {
    if (!implementation.executePart)
      throw new Error(`stage ${node.stage} cannot be divided into ${node.parts} parts`);
    await withoutDamaged(context.dir, async () => implementation.executePart?.(context, part, node.parts));
    return;
  }
  await withoutDamaged(context.dir, () => implementation.execute(context));
  const { parts: _, options: __, seed: ___, ...identity } = node;
  if (!leases.every((lease) => lease.check())) throw new LeaseLost();
  await store.commit(node, spec.dir, {
    ...identity,
    config,
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
