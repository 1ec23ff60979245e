/** Runs the command-line program in a process of its own, on a file in a temporary folder. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '../../src/commands/main.ts';
import { type Behaviours, Fixture, stagesModule } from '../runner/fixture.ts';

export const realProgram = new URL('../../src/cli.ts', import.meta.url).pathname;
/** The program with stages that do as the test says. */
export const testProgram = new URL('./exp.ts', import.meta.url).pathname;

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

const grid = 'grid: {architecture: [cnn-small], dataset: [glyphs], task: [property-prediction]';

/** An experiment of the smallest size, three runs by default. */
export const experiment = (seeds = '[0, 1, 2]') => `name: tiny
${grid}, seed: ${seeds}}
data: {train_images: 50, test_images: 50}
zoo: {models: 10, epochs: 2, checkpoints: [0, 1, 2], init: kaiming-uniform, learning_rate: 0.01, split: [0.6, 0.2, 0.2]}
sane: {d_model: 16, latent_dim: 8, layers: 1, heads: 2, window: 48, epochs: 1}
property_prediction: {checkpoints: null}
tables: [1]
`;

export class Program extends Fixture {
  readonly file: string;
  readonly out = join(this.root, 'out');

  constructor(behaviours: Behaviours = {}, text = experiment()) {
    super(behaviours);
    this.file = this.write('tiny.yaml', text);
  }

  write(name: string, text: string): string {
    const path = join(this.root, name);
    writeFileSync(path, text);
    return path;
  }

  /** Options that keep everything in the temporary folder. */
  get places(): string[] {
    return ['--store', this.store.root, '--out', this.out, '--data', this.data];
  }

  /** Starts `exp <file>` with these options, and the stages of the test. */
  start(...options: string[]) {
    return spawn(testProgram, [this.file, ...this.places, ...options]);
  }

  /** As `start`, to its end, but in this process; its jobs have their own as ever. */
  async run(...options: string[]): Promise<Ended> {
    return inProcess(this.file, ...this.places, ...options);
  }
}

export function spawn(
  program: string,
  args: string[],
  env: Record<string, string> = {},
  cwd = process.cwd(),
) {
  const command = [process.execPath, program, ...args];
  const inherited = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '' };
  return Bun.spawn(command, {
    cwd,
    env: { ...inherited, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
}

/** The real program with any arguments. */
export async function exp(...args: string[]): Promise<Ended> {
  return ended(spawn(realProgram, args));
}

export async function ended(child: ReturnType<typeof spawn>): Promise<Ended> {
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, out, err };
}

/** The lines of `--json`. */
export const parseEvents = (text: string): ({ event: string } & Record<string, unknown>)[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** `exp` in this process, with the stages of the test: cheaper than `exp`, for commands that leave nothing behind in a process. */
export async function inProcess(...args: string[]): Promise<Ended> {
  const ended: Ended = { code: null, out: '', err: '' };
  const { stdout, stderr } = process;
  const before = [stdout, stderr].map(({ write, isTTY }) => ({ write, isTTY }));
  const collect = (stream: 'out' | 'err') => (text: string | Uint8Array) => {
    ended[stream] += Bun.stripANSI(String(text));
    return true;
  };
  Object.assign(stdout, { write: collect('out'), isTTY: false });
  Object.assign(stderr, { write: collect('err'), isTTY: false });
  try {
    ended.code = await main(args, stagesModule);
  } finally {
    Object.assign(stdout, before[0]);
    Object.assign(stderr, before[1]);
  }
  return ended;
}
