/** What a report shows beside tables, from the artefacts of a plan's runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asText } from '../../experiment/grid.ts';
import type { Plan, StageNode } from '../../experiment/types.ts';
import type { Analysis, EmbeddingMap, Evidence, LearningCurve } from '../../report/figures/evidence.ts';
import type { Layer } from '../../report/figures/features.ts';
import type { ArtefactRecord } from '../../runner/artefact.ts';
import type { Store } from '../../runner/store.ts';
import type { Predictions } from '../../stages/result.ts';

/** What stage `sane` keeps of each epoch, of which the report shows this. */
interface Epoch {
  epoch: number;
  reconstruction: number;
  validation_reconstruction: number;
}

/** Where test models lie to one another by SANE's embeddings. */
interface ComponentsFile {
  shares: number[];
  points: [x: number, y: number][];
}

/** What stage `analysis` keeps beside its result. */
interface AnalysisFile {
  networks: { test_accuracy: number; layers: Layer[] }[];
  example: Analysis['example'];
}

/** `command` is that which makes the report again. Artefacts that were changed since they were written are left out. */
export async function collectEvidence(plan: Plan, store: Store, command: string): Promise<Evidence> {
  const finished = new Map<string, { node: StageNode; dir: string; record: ArtefactRecord }>();
  for (const node of plan.stages) {
    const found = await store.check(node);
    if (found?.state === 'complete') finished.set(node.key, { node, ...found });
  }
  const records = [...finished.values()].map(({ record }) => record);
  return {
    curves: learningCurves(plan, finished),
    predictions: firstPredictions(plan, finished),
    embeddings: firstEmbeddings(plan, finished),
    analyses: analysesOf(plan, finished),
    seconds: records.reduce((sum, { timing }) => sum + timing.seconds, 0),
    bytes: records.reduce((sum, { files }) => sum + bytesOf(files), 0),
    machines: [...new Set(records.map(({ environment }) => describeMachine(environment)))],
    commit: commitOf(import.meta.dir),
    command,
  };
}

type Finished = ReadonlyMap<string, { node: StageNode; dir: string; record: ArtefactRecord }>;

const readJson = (dir: string, name: string): unknown => JSON.parse(readFileSync(join(dir, name), 'utf8'));

/** Each SANE once, named by the first run that uses it. */
function learningCurves({ runs }: Plan, finished: Finished): LearningCurve[] {
  const curves = new Map<string, LearningCurve>();
  for (const { id, resultKey } of runs) {
    const key = finished.get(resultKey)?.node.inputs.sane;
    const sane = key === undefined || curves.has(key) ? undefined : finished.get(key);
    if (key === undefined || !sane?.record.files['history.json']) continue;
    const history = readJson(sane.dir, 'history.json') as Epoch[];
    const epochs = history.map(({ epoch, reconstruction, validation_reconstruction }) => ({
      ...{ epoch, training: reconstruction, validation: validation_reconstruction },
    }));
    curves.set(key, { run: id, epochs });
  }
  return [...curves.values()];
}

function firstPredictions({ runs }: Plan, finished: Finished): Evidence['predictions'] {
  const run = runs.find(({ task, resultKey }) => task === 'property-prediction' && finished.has(resultKey));
  const found = run && finished.get(run.resultKey);
  if (!run || !found?.record.files['predictions.json']) return null;
  const { tested, predictions } = readJson(found.dir, 'predictions.json') as Predictions;
  const points = predictions
    .filter(({ target }) => target === 'test-accuracy')
    .flatMap(({ feature, values }) =>
      values.map((predicted, i) => ({ feature, predicted, actual: tested[i]?.test_accuracy ?? Number.NaN })),
    );
  return points.length > 0 ? { run: run.id, points } : null;
}

function firstEmbeddings({ runs }: Plan, finished: Finished): EmbeddingMap | null {
  for (const { id, resultKey } of runs) {
    const found = finished.get(resultKey);
    if (!found?.record.files['components.json']) continue;
    const { tested } = readJson(found.dir, 'predictions.json') as Predictions;
    const { shares, points } = readJson(found.dir, 'components.json') as ComponentsFile;
    return {
      ...{ run: id, shares },
      points: points.map(([x, y = 0], i) => ({ x, y, accuracy: tested[i]?.test_accuracy ?? Number.NaN })),
    };
  }
  return null;
}

/** Each named by what it differs in from the others. Runs that differ in their seed only show the same; the first is enough. */
function analysesOf({ runs }: Plan, finished: Finished): Analysis[] {
  const analysing = runs.filter(({ task, resultKey }) => {
    return task === 'analysis' && finished.get(resultKey)?.record.files['analysis.json'];
  });
  const names = Object.keys(analysing[0]?.axes ?? {}).filter(
    (name) => name !== 'seed' && new Set(analysing.map(({ axes }) => asText(axes[name]))).size > 1,
  );
  const analyses = new Map<string, Analysis>();
  for (const { axes, resultKey, architecture } of analysing) {
    const title =
      names.map((name) => (name.includes('.') ? `${name}=` : '') + asText(axes[name])).join(', ') ||
      architecture;
    if (analyses.has(title)) continue;
    const { networks, example } = readJson(
      finished.get(resultKey)?.dir as string,
      'analysis.json',
    ) as AnalysisFile;
    const ofReport = networks.map(({ test_accuracy, layers }) => ({ accuracy: test_accuracy, layers }));
    analyses.set(title, { title, networks: ofReport, example });
  }
  return [...analyses.values()];
}

const bytesOf = (files: ArtefactRecord['files']): number =>
  Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);

function describeMachine({ cpu, cores, device, gpu }: ArtefactRecord['environment']): string {
  return `${gpu ?? `${cores} cores of ${cpu}`}, ${device ?? 'no device'}`;
}

/** The commit of the repository that a folder is in, or null. */
function commitOf(dir: string): string | null {
  if (!Bun.which('git')) return null;
  const { stdout, success } = Bun.spawnSync(['git', '-C', dir, 'rev-parse', '--short', 'HEAD'], {
    stderr: 'ignore',
  });
  return success ? stdout.toString().trim() : null;
}
