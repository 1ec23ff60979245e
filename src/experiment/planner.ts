/** Stages of runs: each once for the same work, inputs before their readers. */
import type { JsonObject } from '../base/json.ts';
import type { Catalogue, DatasetDescription } from './catalogue.ts';
import { contentKey } from './keys.ts';
import { paperSettings } from './resolve.ts';
import type { PaperSettings, Planner, StagePlan } from './stage-plan.ts';
import type { Folder, StageNode } from './types.ts';

/** Of most stages. */
const noOptions: JsonObject = {};

export class StagePlanner implements Planner {
  private readonly byKey = new Map<string, StageNode>();
  /** By stage and what it was planned for: readers ask for the same again. */
  private readonly planned = new Map<string, Map<object, string>>();
  readonly paper: PaperSettings;

  /** `folder` gives what is in a folder that a stage reads. */
  constructor(
    private readonly catalogue: Catalogue,
    readonly folder: (path: string) => Folder = (path) => {
      throw new Error(`what is in ${path} is not known`);
    },
  ) {
    this.paper = paperSettings(catalogue);
  }

  /** All stages so far, inputs before their readers. */
  get stages(): StageNode[] {
    return [...this.byKey.values()];
  }

  written(architecture: string): JsonObject {
    const { written } = this.catalogue.architectures[architecture] ?? {};
    return written === undefined ? {} : { written };
  }

  dataset(name: string): DatasetDescription | undefined {
    return this.catalogue.datasets[name];
  }

  key<Of extends object>(stage: StagePlan<Of>, of: Of): string {
    // For a run, a stage is asked for once.
    if ('seed' in of) return this.plan(stage, of);
    const planned = this.planned.get(stage.name) ?? new Map<object, string>();
    this.planned.set(stage.name, planned);
    const known = planned.get(of);
    if (known !== undefined) return known;
    const key = this.plan(stage, of);
    planned.set(of, key);
    return key;
  }

  private plan<Of>(stage: StagePlan<Of>, of: Of): string {
    const { config: given, seed, inputs, label, parts = 1, options = noOptions } = stage.plan(of, this);
    const { name, version } = stage;
    const config = given as JsonObject;
    const key = contentKey({ stage: name, version, config, seed, inputs });
    if (!this.byKey.has(key)) {
      const whole = seed === undefined ? config : { ...config, seed };
      this.byKey.set(key, { stage: name, key, version, config: whole, inputs, parts, options, label });
    }
    return key;
  }
}
