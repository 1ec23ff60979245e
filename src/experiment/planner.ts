/** Stages of runs: each once for the same work, inputs before their readers. */
import type { JsonObject } from '../base/json.ts';
import type { Catalogue, DatasetDescription } from './catalogue.ts';
import { ContentKeys } from './keys.ts';
import { paperSettings } from './resolve.ts';
import type { PaperSettings, Planner, StagePlan } from './stage-plan.ts';
import type { Folder, StageNode } from './types.ts';

export class StagePlanner implements Planner {
  private readonly keys = new ContentKeys();
  private readonly byKey = new Map<string, StageNode>();
  /** Thousands of stages have the same label: one text for all of them. */
  private readonly labels = new Map<string, string>();
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
    const { config: given, seed, inputs, label: text, parts = 1, options } = stage.plan(of, this);
    const { name, version } = stage;
    const config = given as JsonObject;
    const key = this.keys.of({ stage: name, version, config, seed, inputs });
    const label = this.labels.get(text) ?? text;
    this.labels.set(label, label);
    if (this.byKey.has(key)) return key;
    const node: StageNode = { stage: name, key, version, config, seed, inputs, parts, label };
    // Hundreds of thousands have none, and an object with room for a ninth value takes half as much memory again.
    this.byKey.set(key, options ? { ...node, options } : node);
    return key;
  }
}
