/**
 * `bun bench/bandwidth.ts [STORE]`: how the bandwidth of the kernels decides what samples are, on the zoo and the SANEs of
 * `bench/bandwidth.yaml`, which has to have run. Prompts are networks that SANE was not trained on. For each kind of draws and each
 * bandwidth, in spreads: the samples' accuracy on test images, without any selection, and their novelty, the distance to the nearest
 * prompt in standardised weights, divided by the mean distance of a prompt to the nearest other one: 0 is a copy, 1 as new as the prompts
 * are to one another. Writes `results/bench/bandwidth.json`.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Random } from '../src/base/random.ts';
import { loadImages } from '../src/data/images.ts';
import { planExperiment } from '../src/experiment/expand.ts';
import { loadExperiment } from '../src/experiment/load.ts';
import { accuracies } from '../src/nets/accuracy.ts';
import { withLayers } from '../src/nets/registry.ts';
import { Store } from '../src/runner/store.ts';
import { loadSane } from '../src/sane/checkpoint.ts';
import { decodeModels } from '../src/sane/decode.ts';
import { type Draws, drawNear, draws as kinds } from '../src/sane/draw.ts';
import { embedModels } from '../src/sane/embed.ts';
import { promptDistance } from '../src/sane/prompt-distance.ts';
import { destandardize, standardize } from '../src/sane/standardize.ts';
import { tokenLayout, unflatten } from '../src/sane/tokenize.ts';
import { findSamples, readSample } from '../src/sane/zoo-samples.ts';
import { catalogue } from '../src/stages/catalogue.ts';
import { startDevice } from '../src/tensor/devices/registry.ts';
import { tf } from '../src/tensor/tf.ts';
import { prepare } from '../src/zoo/train.ts';
import { openZoo } from '../src/zoo/zoo.ts';

const [bandwidths, samples, images] = [[0, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 3], 50, 2000];

const [folder = join(import.meta.dir, '.exp')] = process.argv.slice(2);
const store = new Store(folder);
const plan = planExperiment(await loadExperiment(join(import.meta.dir, 'bandwidth.yaml'), catalogue), {});
const folders = (stage: string) =>
  plan.stages.filter((node) => node.stage === stage).map((node) => store.find(node)?.dir ?? missing(node));
function missing({ label }: { label: string }): never {
  throw new Error(`${label} is not in ${folder}: bun run exp bench/bandwidth.yaml --store ${folder}`);
}

await startDevice('native', { threads: availableParallelism() });
const zoo = await openZoo(folders('zoo')[0] as string);
const architecture = withLayers(zoo.architecture, 'evaluation');
const all = await loadImages(folders('dataset')[0] as string);
const cut = {
  images: all.test.images.subarray(0, images * 784),
  labels: all.test.labels.subarray(0, images),
};
const test = prepare(cut, all);
const activation = zoo.manifest.models[0]?.hyperparameters.activation ?? 'tanh';
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: readonly number[]) =>
  Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1));
interface Row {
  draws: Draws;
  bandwidth: number;
  accuracy: { mean: number; deviation: number; best: number };
  novelty: { mean: number; least: number };
}

const sanes: object[] = [];
for (const dir of folders('sane')) {
  const { sane, description, standardizations } = await loadSane(dir);
  const [standardization = null] = standardizations;
  const spread = description.zoos[0]?.embedding_spread as number;
  if (!standardization) throw new Error('the SANE of this experiment standardises');
  const layout = tokenLayout(architecture, description.shape.token_size, description.batch_norm_tokens);
  const alignment = folders('alignment')[0];
  const { val, test: heldOut } = await findSamples(zoo, [description.epochs.at(-1) as number], alignment);
  const prompts = [...val, ...heldOut].map((sample) =>
    standardize(layout, readSample(architecture, sample), standardization),
  );
  const accuracyOf = (flats: readonly Float32Array[]) =>
    accuracies(
      { architecture, activation },
      flats.map((flat) => unflatten(architecture, destandardize(layout, flat, standardization))),
      test,
    );
  const distance = promptDistance(prompts);
  const average = (prompts[0] as Float32Array).map((_, i) =>
    mean(prompts.map((prompt) => prompt[i] as number)),
  );
  const embeddings = await Array.fromAsync(embedModels(sane, layout, prompts));
  const rows: Row[] = [];
  for (const draws of kinds) {
    for (const bandwidth of bandwidths) {
      const density = { latent: description.shape.latent_dim, draws, bandwidth: bandwidth * spread };
      const drawn = Array.from({ length: samples }, (_, i) =>
        drawNear(embeddings, density, new Random(0, 'bandwidth', i)),
      );
      const flats = await Array.fromAsync(decodeModels(sane, layout, drawn, { halo: true }));
      const [accuracy, novelty] = [await accuracyOf(flats), flats.map(distance)];
      rows.push({
        ...{ draws, bandwidth },
        accuracy: { mean: mean(accuracy), deviation: deviation(accuracy), best: Math.max(...accuracy) },
        novelty: { mean: mean(novelty), least: Math.min(...novelty) },
      });
      console.error(JSON.stringify(rows.at(-1)));
    }
  }
  const own = await accuracyOf(prompts);
  const [averaged] = await accuracyOf([average]);
  sanes.push({
    spread,
    prompts: { count: prompts.length, accuracy: mean(own), least: Math.min(...own) },
    averageOfPrompts: averaged,
    rows,
  });
  sane.dispose();
}
tf.dispose([test.images, test.labels]);
const out = join(import.meta.dir, '..', 'results', 'bench', 'bandwidth.json');
await Bun.write(out, `${JSON.stringify({ samples, images, sanes }, undefined, 1)}\n`);
