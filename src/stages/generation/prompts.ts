/** The zoo that the prompts come from. */
import type { PaperSettings } from '../../experiment/stage-plan.ts';
import type { Run, ZooSettings } from '../../experiment/types.ts';
import { dataSettingsFor } from '../dataset/plan.ts';
import { upTo } from '../work.ts';

/** The models that prompts are of, with all settings of the run that has them. */
export type Prompts = Pick<Run, 'architecture' | 'dataset' | 'settings'>;

/**
 * The models that the prompts are of: the run's own, or those of `generation.prompt_zoo`, whose settings are the run's where it
 * says nothing. Checkpoints that it does not list are the run's up to its own last epoch.
 */
export function promptsOf(run: Prompts, paper: PaperSettings): Prompts {
  const { settings } = run;
  const other = settings.generation.prompt_zoo;
  if (!other) return run;
  const { architecture = run.architecture, dataset = run.dataset, zoo: given = {} } = other;
  // A folder with a zoo of other networks is not that of these.
  const same = architecture === run.architecture && dataset === run.dataset;
  const zoo: ZooSettings = { ...settings.zoo, ...(same ? {} : { import: null }), ...given };
  if (given.checkpoints === undefined && zoo.import === null) {
    zoo.checkpoints = upTo(zoo.epochs, zoo.checkpoints) as ZooSettings['checkpoints'];
  }
  const data = dataSettingsFor(settings.data, run, { architecture, dataset }, paper);
  return { architecture, dataset, settings: { ...settings, data, zoo } };
}
