/**
 * `bun bench/weight-matching.ts [python]`: aligning one ResNet-18 to another, against the authors' algorithm in PyTorch and SciPy, which the
 * Python needs too. Two pairs: networks initialised independently, the hardest case, and a network and its copy with all hidden
 * units in another order and a tenth of noise. Both sides take turns; every time is kept in `results/bench/weight-matching.json`.
 * Exit codes: 0 ours is at least 3 times as fast on both pairs, takes less than 20 s, and ends as near to the reference, 1 not.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../src/base/random.ts';
import { writeSafetensors } from '../src/base/safetensors.ts';
import type { StateDict } from '../src/nets/architecture.ts';
import { initialWeights } from '../src/nets/init.ts';
import { permute, randomOrders } from '../src/nets/permute.ts';
import { getArchitecture } from '../src/nets/registry.ts';
import { WeightMatching } from '../src/sane/weight-matching.ts';
import { startDevice } from '../src/tensor/devices/registry.ts';
import { findPython } from './python.ts';
import { Side } from './side.ts';
import { summarize } from './summary.ts';

const rounds = 3;
const threads = cpus().length;
const [wantedRatio, wantedMs] = [3, 20_000];
const net = getArchitecture('resnet18', { input: [32, 32, 3], classes: 10, width: null });

const target = initialWeights(net, 'kaiming-uniform', 1);
const planted = new Map(
  Array.from(permute(net, target, randomOrders(net, new Random(0, 'bench', 'orders'))), ([name, values]) => {
    const noise = new Random(0, 'bench', 'noise', name).normals(values.length);
    const size = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
    return [name, values.map((x, i) => x + 0.1 * size * (noise[i] as number))];
  }),
);
const pairs: Record<string, StateDict> = {
  independent: initialWeights(net, 'kaiming-uniform', 2),
  planted,
};

const folder = await mkdtemp(join(tmpdir(), 'bench-matching-'));
const file = join(folder, 'pairs.safetensors');
await writeSafetensors(
  file,
  Object.entries(pairs).flatMap(([pair, model]) =>
    Object.entries({ target, model }).flatMap(([side, weights]) =>
      net.state.map(({ name, shape }) => ({
        ...{ name: `${pair}.${side}.${name}`, shape },
        data: weights.get(name) as Float32Array,
      })),
    ),
  ),
);
const groups = Object.fromEntries(
  net.permutations.map(({ name, axes }) => [name, axes.map(({ parameter, axis }) => [parameter, axis])]),
);
const { path: python, versions } = await findPython(process.argv[2] ?? process.env.PYTHON, console.error);
const config = JSON.stringify({ groups, pairs: Object.keys(pairs), device: 'cpu' });
const script = join(import.meta.dir, 'pytorch', 'weight_matching.py');
const other = await Side.start('PyTorch and SciPy', [python, script, file, `${threads}`, config]);
await startDevice('native', { threads });

/** |target - model in these orders|, over all parameters. */
function distance(model: StateDict, orders: ReadonlyMap<string, Int32Array>): number {
  const moved = permute(net, model, orders);
  let sum = 0;
  for (const { name } of net.parameters) {
    const [a, b] = [target.get(name), moved.get(name)] as [Float32Array, Float32Array];
    for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  }
  return Math.sqrt(sum);
}

const results = [];
for (const [pair, model] of Object.entries(pairs)) {
  const turnsMs: Record<'ours' | 'theirs', number[]> = { ours: [], theirs: [] };
  let [ours, theirs] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const { ms, values } = await other.turn({ steps: 1, variant: pair });
    turnsMs.theirs.push(ms);
    let start = 0;
    const orders = net.permutations.map(({ name, size }) => {
      start += size;
      return [name, Int32Array.from(values.slice(start - size, start))] as const;
    });
    theirs = distance(model, new Map(orders));
    const begun = performance.now();
    const matching = new WeightMatching(net, target);
    const found = await matching.match(model, new Random(0));
    turnsMs.ours.push(performance.now() - begun);
    matching.dispose();
    ours = distance(model, found.permutations);
  }
  const [mine, its] = [summarize(turnsMs.ours), summarize(turnsMs.theirs)];
  const ratio = its.medianMs / mine.medianMs;
  results.push({
    pair,
    ratio,
    ours: mine,
    theirs: its,
    distance: { before: distance(model, new Map()), ours, theirs },
    turnsMs,
  });
  console.log(
    `${pair.padEnd(12)} ratio ${ratio.toFixed(1)}  ours ${(mine.medianMs / 1000).toFixed(2)} s  theirs ${(its.medianMs / 1000).toFixed(2)} s  distance ${distance(model, new Map()).toFixed(1)} -> ours ${ours.toFixed(2)}, theirs ${theirs.toFixed(2)}`,
  );
}
await other.end();
await rm(folder, { recursive: true });
const out = join(import.meta.dir, '..', 'results', 'bench');
await mkdir(out, { recursive: true });
const about = {
  row: 'weight-matching',
  description: 'aligning a ResNet-18 pair',
  wantedRatio,
  threads,
  cpu: cpus()[0]?.model,
  versions,
};
await Bun.write(join(out, 'weight-matching.json'), `${JSON.stringify({ ...about, results }, null, 2)}\n`);
const reached = results.every(
  ({ ratio, ours, distance: { ours: near, theirs } }) =>
    ratio >= wantedRatio && ours.medianMs < wantedMs && near <= theirs * 1.001,
);
process.exitCode = reached ? 0 : 1;
