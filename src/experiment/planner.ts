/** Stages of runs: each once for the same work, inputs before their readers. */
import type { JsonObject } from '../base/json.ts';
import type { Catalogue, DatasetDescription } from './catalogue.ts';
import { contentKey } from './keys.ts';
import { paperSettings } from './resolve.ts';
import type { PaperSettings, Planner, StagePlan } from './stage-plan.ts';
import type { Folder, StageNode } from './types.ts';

export class StagePlanner implements Planner {
  private readonly byKey = new Map<string, StageNode>();
  /** By stage and what it was planned for: readers ask for the same again. */
  private readonly planned = new Map<string, WeakMap<object, string>>();
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
    const planned = this.planned.get(stage.name) ?? new WeakMap<object, string>();
    this.planned.set(stage.name, planned);
    const known = planned.get(of) ?? this.plan(stage, of);
    planned.set(of, known);
    return known;
  }

  private plan<Of>(stage: StagePlan<Of>, of: Of): string {
    const { config, inputs, label, parts = 1, options = {} } = stage.plan(of, this);
    const { name, version } = stage;
    const identity = { stage: name, version, config: config as JsonObject, inputs };
    const key = contentKey(identity);
    if (!this.byKey.has(key)) this.byKey.set(key, { ...identity, key, parts, options, label });
    return key;
  }
}
