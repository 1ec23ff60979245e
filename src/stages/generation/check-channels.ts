import type { CheckContext, PlannedRun, SettingProblem } from '../../experiment/stage-plan.ts';
import type { DataSettings } from '../../experiment/types.ts';
import { dataSettingsFor } from '../dataset/plan.ts';
import { homeOf, zoosOf } from '../zoos.ts';
import { promptsOf } from './prompts.ts';

/** Networks that are to be measured on images with other channels than those they see. The zoo of the prompts is set at `zooPath`. */
export function checkChannels(
  run: PlannedRun,
  zooPath: readonly string[],
  { catalogue, paper, folders }: CheckContext,
): SettingProblem[] {
  const channels = (dataset: string, { grey }: DataSettings) =>
    grey ? 1 : catalogue.datasets[dataset]?.shape[2];
  /** Of the networks, which in other people's files are not known, and of the images; data.grey may be another than the run's. */
  const both = (grey: boolean) => {
    const data = { ...run.settings.data, grey };
    const { architecture, dataset, settings } = promptsOf(
      { ...run, settings: { ...run.settings, data } },
      paper,
    );
    const target = settings.generation.target_dataset ?? dataset;
    const zoos = zoosOf({ architecture, dataset, settings }, (path) => folders.get(path), paper);
    const folder = zoos[homeOf({ architecture, dataset, settings }, zoos)]?.settings.zoo.import;
    return {
      target,
      networks: typeof folder === 'string' ? folders.get(folder)?.channels : channels(dataset, settings.data),
      images: channels(target, dataSettingsFor(data, run, { architecture, dataset: target }, paper)),
    };
  };
  const { target, networks, images } = both(run.settings.data.grey);
  if (networks === undefined || networks === images) return [];
  const fixing = [true, false].find((grey) => {
    const other = both(grey);
    return other.networks === other.images;
  });
  const count = (n: number | undefined) => (n === 1 ? '1 channel' : `${n} channels`);
  const isMoved = run.settings.generation.target_dataset !== null;
  return [
    {
      code: 'other-channels',
      path: isMoved ? ['generation', 'target_dataset'] : [...zooPath, 'import'],
      message: `the prompts' networks see images of ${count(networks)}, those of ${target} have ${count(images)} here`,
      hint:
        fixing === undefined
          ? `choose a data set whose images have ${count(networks)}`
          : `set data.grey to ${fixing}`,
    },
  ];
}
