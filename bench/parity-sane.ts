/**
 * `bun bench/parity-sane.ts [python]`: whether `exp embed` and `exp reconstruct` have PyTorch's numbers on a checkpoint as the authors' training
 * saves it. PyTorch writes the checkpoint and networks, the program reads them and writes its own, PyTorch reads these and compares.
 * Exit codes: 0 all within 1e-4 of the largest value (of 1 if that is larger), 1 not.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPython } from './python.ts';

const tolerance = 1e-4;
const script = join(import.meta.dir, 'pytorch', 'parity_sane.py');
const program = join(import.meta.dir, '..', 'src', 'cli.ts');

async function run(...command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'inherit' });
  const out = await child.stdout.text();
  if ((await child.exited) !== 0) throw new Error(`${command.join(' ')} failed`);
  return out;
}

const { path: python, versions } = await findPython(process.argv[2] ?? process.env.PYTHON, console.error);
const folder = await mkdtemp(join(tmpdir(), 'parity-sane-'));
const at = (name: string) => join(folder, name);
await run(python, script, 'make', folder);
const cases = [];
for (const network of ['cnn', 'residual']) {
  for (const normalization of [null, `${network}-standardize.json`, `${network}-minmax.json`]) {
    const name = `${network}, ${normalization ?? 'weights as they are'}`;
    const out = at(`case-${cases.length}`);
    const models = [0, 1, 2].map((i) => at(`${network}-${i}.pt`));
    const sane = ['--sane', at('trial/checkpoint_000050/state.pt')];
    const options = [...sane, ...(normalization ? ['--normalization', at(normalization)] : [])];
    await run('bun', program, 'embed', ...models, ...options, '--json', '--out', `${out}.json`);
    await run('bun', program, 'reconstruct', ...models, ...options, '--format', 'pt', '--out', out);
    const reconstructions = models.map((_, i) => join(out, `${network}-${i}.pt`));
    cases.push({ name, normalization, embeddings: `${out}.json`, reconstructions });
  }
}
await Bun.write(at('cases.json'), JSON.stringify(cases));
const results = JSON.parse(await run(python, script, 'check', folder)) as {
  case: string;
  networks: number;
  embedding: number;
  reconstruction: number;
}[];
console.log(`Largest differences from PyTorch ${versions.torch}, of the largest value`);
for (const { case: name, networks, embedding, reconstruction } of results) {
  console.log(
    `${name.padEnd(36)} ${networks} networks  embedding ${embedding.toExponential(1)}  reconstruction ${reconstruction.toExponential(1)}`,
  );
}
await rm(folder, { recursive: true });
process.exitCode = results.every((one) => one.embedding <= tolerance && one.reconstruction <= tolerance)
  ? 0
  : 1;
