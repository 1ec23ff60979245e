/** A temporary folder with a store and a data folder, and small plans for the stages of stages.ts. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StagePlanner } from '../../src/experiment/planner.ts';
import type { Plan, Run, Settings } from '../../src/experiment/types.ts';
import type { RunnerEvent } from '../../src/runner/events.ts';
import { execute } from '../../src/runner/scheduler.ts';
import type { ExecuteOptions } from '../../src/runner/stage-runner.ts';
import { Store } from '../../src/runner/store.ts';
import { survey } from '../../src/runner/survey.ts';
import { catalogue } from '../../src/stages/catalogue.ts';
import { propertyPrediction } from '../../src/stages/property-prediction/plan.ts';
import type { Behaviour } from './stages.ts';

export const stagesModule = new URL('./stages.ts', import.meta.url).href;

export type Behaviours = Record<string, Behaviour>;

const roots: string[] = [];

/** Removes the folders of all fixtures so far. */
export function removeFixtures(): void {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
}

export class Fixture {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'exp-test-')));
  readonly data = join(this.root, 'data');
  readonly store = new Store(join(this.root, 'store'));

  constructor(behaviours: Behaviours = {}) {
    roots.push(this.root);
    mkdirSync(this.data);
    this.behave(behaviours);
  }

  behave(behaviours: Behaviours): void {
    writeFileSync(join(this.data, 'behaviour.json'), JSON.stringify(behaviours));
  }

  /** The steps that stages did so far, e.g. `sane 0 1`. */
  get steps(): string[] {
    const path = join(this.data, 'steps.log');
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  }

  /** Surveys the plan and computes what is missing. */
  async execute(plan: Plan, options: Partial<ExecuteOptions> & { retryFailed?: boolean } = {}) {
    const events: RunnerEvent[] = [];
    const { retryFailed = false, ...rest } = options;
    const states = await survey(plan, this.store, { retryFailed });
    const outcomes = await execute(plan, states, {
      store: this.store,
      reporter: { report: (event) => events.push(event) },
      workers: 2,
      device: 'cpu',
      gpus: [],
      gpuLeases: join(this.root, 'gpus'),
      cores: 4,
      stagesModule,
      dataDir: this.data,
      failFast: false,
      signal: new AbortController().signal,
      ...rest,
    });
    return { states, outcomes, events };
  }
}

/** A plan of one zoo, and SANE and property prediction for each seed. Thirty-two models are one part of the zoo, at most. */
export function makePlan(seeds: number[], models = 3, dataset: Run['dataset'] = 'glyphs'): Plan {
  const planner = new StagePlanner(catalogue);
  const settings = {
    data: { train_images: 10, test_images: 10 },
    zoo: { models, epochs: 2, checkpoints: [1, 2], vary: {}, import: null },
    sane: { epochs: 2, checkpoints: null, windows_per_sample: 1, token_size: 8, standardization: 'none' },
    property_prediction: {
      features: ['sane'],
      targets: ['epoch'],
      checkpoints: null,
      ridge_strengths: [1],
    },
  } as unknown as Settings;
  const runs: Run[] = seeds.map((seed) => {
    const point = {
      architecture: 'cnn-small',
      dataset,
      task: 'property-prediction',
      seed,
    } as const;
    const run = { ...point, axes: point, settings };
    return { ...run, id: `seed=${seed}`, differences: [], resultKey: planner.key(propertyPrediction, run) };
  });
  return {
    name: 'test',
    description: '',
    device: 'cpu',
    launcher: {},
    tables: [1],
    runs,
    stages: planner.stages,
    warnings: [],
  };
}

/** Waits until something holds; throws after two minutes. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + 120_000; !holds(); await Bun.sleep(10)) {
    if (Date.now() > deadline) throw new Error(`waited too long until ${what}`);
  }
}
