/** Runs one job in a child process of its own and reports its outcome. */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Report } from '../base/progress.ts';
import { describeTrouble, findTrouble } from '../tensor/devices/trouble.ts';
import { type JobSpec, messagesFd, type WorkerMessage } from './protocol.ts';

const workerPath = fileURLToPath(new URL('./worker.ts', import.meta.url));

/** How long a worker may take to exit after SIGTERM before it is killed. */
const graceMs = 3000;

export type JobOutcome =
  | { state: 'done'; seconds: number }
  | { state: 'failed'; reason: string; lasting: boolean }
  /** Terminated by the runner. */
  | { state: 'stopped' };

export interface JobOptions {
  /** Environment variables of the worker besides those of this process: which GPU it is to see. */
  env?: Record<string, string> | undefined;
  /** File that everything the worker prints is appended to. */
  log: string;
  onProgress: Report;
  signal: AbortSignal;
}

/** Starts the worker in a process group of its own, and terminates the whole group when the signal is aborted. */
export function runJob(spec: JobSpec, { env, log, onProgress, signal }: JobOptions): Promise<JobOutcome> {
  const startedAt = performance.now();
  mkdirSync(dirname(log), { recursive: true });
  const logFd = openSync(log, 'a');
  writeSync(logFd, `--- ${new Date().toISOString()} ${spec.node.label} ${spec.node.key} ${spec.gpu ?? ''}\n`);
  const printedFrom = fstatSync(logFd).size;
  const child = spawn(process.execPath, [workerPath], {
    detached: true,
    stdio: ['pipe', logFd, logFd, 'pipe'],
    env: { ...process.env, ...env },
  });
  closeSync(logFd);

  let last: WorkerMessage | undefined;
  createInterface({ input: child.stdio[messagesFd] as Readable }).on('line', (line) => {
    last = JSON.parse(line) as WorkerMessage;
    if (last.type === 'progress') onProgress(last.progress);
  });
  // A worker that dies before it has read its input shows that by its exit.
  child.stdin?.on('error', () => {});
  child.stdin?.write(`${JSON.stringify(spec)}\n`);

  const stop = () => {
    signalGroup(child.pid, 'SIGTERM');
    const timer = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), graceMs);
    child.once('close', () => clearTimeout(timer));
  };
  signal.addEventListener('abort', stop, { once: true });

  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ state: 'failed', reason: error.message, lasting: false }));
    child.once('close', (code, killedBy) => {
      signal.removeEventListener('abort', stop);
      if (last?.type === 'done') resolve({ state: 'done', seconds: (performance.now() - startedAt) / 1000 });
      else if (signal.aborted) resolve({ state: 'stopped' });
      else if (last?.type === 'failed')
        resolve({ state: 'failed', reason: last.reason, lasting: last.lasting });
      else {
        const printed = readFileSync(log).subarray(printedFrom).toString('utf8');
        const reason = describeExit(code, killedBy, printed, spec.gpu ?? `the device ${spec.device}`);
        resolve({ state: 'failed', reason, lasting: false });
      }
    });
  });
}

/** Signals the processes of a group, if there are any left. */
function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Why a worker exited without reporting, from what it printed where that says more. */
function describeExit(
  code: number | null,
  killedBy: NodeJS.Signals | null,
  printed: string,
  device: string,
): string {
  // TensorFlow aborts the process where the GPU fails.
  const trouble = findTrouble(printed);
  if (trouble) return describeTrouble(trouble, device);
  if (killedBy === 'SIGKILL') return 'the worker was killed (SIGKILL), perhaps because memory ran out';
  if (killedBy) return `the worker was terminated by ${killedBy}`;
  return `the worker exited with code ${code}: ${printed.trimEnd().split('\n').at(-1) ?? ''}`;
}
