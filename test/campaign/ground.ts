/** Where a campaign works: a small real experiment in a temporary folder, what its files must be, and a program to run it. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const project = new URL('../..', import.meta.url).pathname;

/** Seconds of work: a zoo, its alignment, a SANE for each seed and the probes. */
const experiment = (seeds: string, models: number) => `name: tiny
grid: {architecture: [cnn-small], dataset: [glyphs], task: [property-prediction], seed: ${seeds}}
data: {train_images: 50, test_images: 50}
zoo: {models: ${models}, epochs: 1, checkpoints: [0, 1], init: kaiming-uniform, learning_rate: 0.01, split: [0.5, 0.25, 0.25]}
sane: {d_model: 16, latent_dim: 8, layers: 1, heads: 2, window: 48, batch_size: 8, epochs: 1}
property_prediction: {checkpoints: null}
tables: [1]
`;

/** No run takes so long, even if it has a hundredth of the machine, beside others of higher priority. */
export const hangMs = 900_000;

export interface Ended {
  code: number | null;
  signal: string | null;
  err: string;
}

/** Digests of files by their path. */
export type Digests = ReadonlyMap<string, string>;

/** Where one run keeps what it makes. */
export interface Place {
  store: string;
  out: string;
}

export class Ground {
  readonly root: string;
  readonly file: string;
  private program = join(project, 'src/cli.ts');
  private places = 0;
  private reference: { digests: Digests; ms: number } | undefined;

  /** Of more than 32 models, a zoo has parts. `root`: a folder for it; a temporary one otherwise. `launcher`: that block of the file. */
  constructor(seeds = '[0, 1]', { models = 6, root = '', launcher = '{}' } = {}) {
    this.root = root || mkdtempSync(join(tmpdir(), 'campaign-'));
    mkdirSync(this.root, { recursive: true });
    this.file = join(this.root, 'tiny.yaml');
    writeFileSync(this.file, `${experiment(seeds, models)}launcher: ${launcher}\n`);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Takes a copy of the program in which a piece of a file of src/ is another: to show that a campaign notices it. */
  sabotage(file: string, piece: string, other: string): void {
    const copy = join(this.root, 'program');
    mkdirSync(copy);
    for (const name of readdirSync(project)) {
      if (name === 'src') cpSync(join(project, name), join(copy, name), { recursive: true });
      else if (!name.startsWith('.')) symlinkSync(join(project, name), join(copy, name));
    }
    const path = join(copy, 'src', file);
    const text = readFileSync(path, 'utf8');
    if (!text.includes(piece)) throw new Error(`${file} no longer has: ${piece}`);
    writeFileSync(path, text.replace(piece, other));
    this.program = join(copy, 'src/cli.ts');
  }

  /** A new place, with nothing in it. */
  place(): Place {
    const folder = join(this.root, `place-${this.places++}`);
    return { store: join(folder, 'store'), out: join(folder, 'out') };
  }

  /** `within`: a command that runs it. */
  start({ store, out }: Place, command: readonly string[] = [], within: readonly string[] = []) {
    return this.exp([...command, this.file, '--store', store, '--out', out], within);
  }

  /** The program with any arguments. */
  exp(args: readonly string[], within: readonly string[] = []) {
    return Bun.spawn([...within, process.execPath, this.program, ...args], {
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '' },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'pipe',
    });
  }

  async run(place: Place, command?: readonly string[]): Promise<Ended> {
    return ended(this.start(place, command));
  }

  /** What an undisturbed run makes, and how long it takes; run once. */
  async expected(): Promise<{ digests: Digests; ms: number }> {
    if (this.reference) return this.reference;
    const place = this.place();
    const begin = performance.now();
    const { code, err } = await this.run(place);
    if (code !== 0) throw new Error(`the undisturbed run ended with ${code}:\n${err}`);
    this.reference = { digests: digest(place), ms: performance.now() - begin };
    return this.reference;
  }

  /**
   * Runs to the end and compares every file with those of an undisturbed run. Returns what is wrong. `beside`: what another experiment has in the
   * same store.
   */
  async finish(place: Place, { alter = false, beside = new Map<string, string>() } = {}): Promise<string[]> {
    const { digests } = await this.expected();
    const { code, signal, err } = await this.run(place);
    if (code !== 0) return [`the run afterwards ended with ${code ?? signal}: ${err.slice(-600)}`];
    const [altered] = [...digests.keys()].filter((name) => name.startsWith('store/'));
    if (alter) flip(join(place.store, relative('store', altered as string)), 0);
    const problems = compare(digest(place), new Map([...beside, ...digests]));
    for (const name of readdirSync(place.store, { recursive: true, encoding: 'utf8' }))
      if (/\.partial$|\.tmp$/.test(name)) problems.push(`${name} stays behind`);
    return problems;
  }
}

export async function ended(child: ReturnType<Ground['exp']>): Promise<Ended> {
  const timer = setTimeout(() => child.kill('SIGKILL'), hangMs);
  const [err, code] = await Promise.all([child.stderr.text(), child.exited]);
  clearTimeout(timer);
  return {
    code: child.signalCode ? null : code,
    signal: child.signalCode ? String(child.signalCode) : null,
    err,
  };
}

/** All files of finished artefacts but their records, which hold times, and the tables. */
export function digest({ store, out }: Place): Digests {
  const found = new Map<string, string>();
  const add = (top: string, folder: string) => {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const name = join(top, relative(folder, path));
      if (!entry.isFile() || !isContent(name)) continue;
      found.set(name, new Bun.CryptoHasher('sha256').update(readFileSync(path)).digest('hex'));
    }
  };
  add('store', store);
  add('out', out);
  return new Map([...found].sort());
}

const isContent = (name: string) =>
  // A report says how long it all took, the other where the experiment lies from there.
  (name.startsWith('out/') && !['out/report.html', 'out/experiment.json'].includes(name)) ||
  // Scripts of jobs are no artefacts.
  (/^store\/(?!slurm\/)[\w-]+\/[0-9a-f]+\//.test(name) && !name.endsWith('/artefact.json'));

function compare(actual: Digests, expected: Digests): string[] {
  const problems = [...expected].flatMap(([name, sum]) => {
    const found = actual.get(name);
    if (found === sum) return [];
    return [found ? `${name} has other bytes` : `${name} is not there`];
  });
  return [
    ...problems,
    ...[...actual.keys()].filter((name) => !expected.has(name)).map((name) => `${name} is new`),
  ];
}

/** Changes one bit of a file; times and size of the file are as after any write. */
export function flip(path: string, at: number, bit = 0): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] as number) ^ (1 << bit);
  writeFileSync(path, bytes);
}

/** The processes that a process started, and theirs. Linux only; none elsewhere. */
export function descendants(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    const own = text.split(' ').filter(Boolean).map(Number);
    return own.flatMap((child) => [child, ...descendants(child)]);
  } catch {
    return [];
  }
}

/** A line that only a crash of the program prints. */
export const hasCrashed = (err: string): boolean =>
  /^\s+at .+:\d+:\d+\)?$/m.test(err) || err.includes('Bun v1.');
