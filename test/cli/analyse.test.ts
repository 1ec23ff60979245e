/** `exp analyse`: a table, CSV and figures of networks from files, and what is said of wrong arguments. */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { writeSafetensors } from '../../src/base/safetensors.ts';
import { analyseCommand } from '../../src/commands/analyse/run.ts';
import { parseArguments } from '../../src/commands/arguments.ts';
import { radarCommand } from '../../src/commands/radar/run.ts';
import golden from '../nets/weightwatcher/golden/features.json' with { type: 'json' };
import { inProcess } from './program.ts';

setDefaultTimeout(120_000);
const root = mkdtempSync(join(tmpdir(), 'analyse-'));
afterAll(() => rmSync(root, { recursive: true }));
const layers = join(import.meta.dir, '..', 'nets', 'weightwatcher', 'golden', 'layers.safetensors');
const nets = join(root, 'nets');
mkdirSync(nets);
copyFileSync(layers, join(nets, 'a.safetensors'));
const random = new Random(1, 'analyse');
// Of no known architecture.
await writeSafetensors(join(nets, 'b.safetensors'), [
  { name: 'odd.weight', shape: [12, 9], data: random.normals(108) },
]);

/** In this process: what fails prints nothing. */
const analyse = async (...args: string[]) => analyseCommand(await parseArguments(['analyse', ...args]));

describe('exp analyse', () => {
  test('says so where the CSV file cannot be written', async () => {
    const csv = join(root, 'no', 'features.csv');
    await expect(analyse(join(nets, 'b.safetensors'), '--csv', csv, '--json')).rejects.toThrow(
      `${csv} cannot be written: ENOENT`,
    );
  });

  test('prints the features of every layer, and writes CSV and figures', async () => {
    const accuracies = join(root, 'results.csv');
    writeFileSync(accuracies, 'model,test_accuracy\na,0.8\nb,0.3\n');
    const [csv, out] = [join(root, 'features.csv'), join(root, 'figures')];
    const {
      code,
      out: text,
      err,
    } = await inProcess('analyse', nets, '--accuracies', accuracies, '--csv', csv, '--out', out);
    expect(code).toBe(0);
    const expected = golden.layers.heavy;
    expect(text).toMatch(/^layer +log10 spectral norm +alpha +weighted alpha +stable rank$/m);
    const line = [expected.log_spectral_norm, expected.alpha, expected.alpha_weighted, expected.stable_rank];
    expect(text).toMatch(new RegExp(`^heavy\\.weight +${line.map((x) => x.toFixed(4)).join(' +')}$`, 'm'));
    const alphas = Object.values(golden.layers).map(({ alpha }) => alpha);
    const mean = alphas.reduce((sum, x) => sum + x, 0) / alphas.length;
    expect(text).toMatch(new RegExp(`^mean +\\S+ +${mean.toFixed(4)} `, 'm'));
    const lines = readFileSync(csv, 'utf8').trimEnd().split('\r\n');
    expect(lines[0]).toBe('model,accuracy,index,layer,log_spectral_norm,alpha,weighted_alpha,stable_rank');
    expect(lines.length).toBe(1 + 7 + 1);
    expect(lines.at(-1)).toStartWith(`${join(nets, 'b.safetensors')},0.3,1,odd.weight,`);
    expect(readdirSync(out).sort()).toEqual(['accuracy-over-features.svg', 'features-by-layer.svg']);
    expect(err).toContain(join(out, 'accuracy-over-features.svg'));
  });

  test('refuses what is asked for in vain, with the remedy', async () => {
    await expect(analyse(nets, '--format', 'png')).rejects.toThrow(
      '--format is of figures, which --out asks for',
    );
    await expect(analyse(nets, '--out', root, '--format', 'gif')).rejects.toThrow('unknown format: gif');
    const foreign = join(root, 'foreign.csv');
    writeFileSync(foreign, 'model,test_accuracy\nz,0.8\n');
    await expect(analyse(nets, '--accuracies', foreign)).rejects.toThrow(/no row is of a checkpoint/);
    const diverged = join(root, 'diverged.safetensors');
    const data = Float32Array.of(Number.NaN, ...random.normals(99));
    await writeSafetensors(diverged, [{ name: 'fc.weight', shape: [10, 10], data }]);
    await expect(analyse(diverged)).rejects.toThrow(
      /fc.weight has numbers that are not finite: the network diverged/,
    );
  });
});

test('exp radar refuses what is no table, and tables of too few axes', async () => {
  const radar = async (...args: string[]) =>
    radarCommand(await parseArguments(['radar', ...args, '--out', root]));
  const results = join(import.meta.dir, '..', '..', 'results');
  await expect(radar(join(results, 'bench', 'bandwidth.json'))).rejects.toThrow(
    /bandwidth.json is no table of the paper/,
  );
  await expect(radar(join(root, 'none.json'))).rejects.toThrow(/none.json cannot be read/);
  const one = join(results, 'mnist', 'table-01.json');
  await expect(radar(one)).rejects.toThrow('these tables fill fewer than three axes of the radar');
});
