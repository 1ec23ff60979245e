/** Stage `sane` to a plan: the autoencoder, pretrained on a zoo. */
import type { PlannedRun, SettingProblem } from '../../experiment/stage-plan.ts';
import type { SaneSettings } from '../../experiment/types.ts';
import { checkBatches, checkCheckpoints, checkHeads, narrowCheckpoints } from '../checks.ts';
import { costOf, operationsOfPretraining, saneBytes, zoosAmong } from '../cost.ts';
import { dataset } from '../dataset/plan.ts';
import { allModelInputs } from '../models.ts';
import type { Stage } from '../stage.ts';
import { networkSettings, pick, populations, saneSettings } from '../work.ts';
import { zoosOf } from '../zoos.ts';
import { asksNetworks, checkBehaviour } from './check-behaviour.ts';
import schema from './settings.json' with { type: 'json' };

export const sane: Stage<PlannedRun> = {
  name: 'sane',
  description: 'pretrains SANE on tokens of the weights of a zoo',
  version: 4,
  usesDevice: true,
  load: async () => (await import('./run.ts')).saneStage,
  settings: {
    block: 'sane',
    schema,
    // Rows of position tables that the zoo's networks do not have.
    immaterial: ['positions'],
    renamed: { epochs_used: 'checkpoints', shared_permutations: 'permutation_protocol' },
    nullMeans: { gradient_clip: 'none', beta: 'none' },
  },

  plan(run, planner) {
    const { dataset: name, seed, settings } = run;
    const zoos = zoosOf(run, planner.folder, planner.paper).map(
      ({ architecture, dataset }) => `${architecture}/${dataset}`,
    );
    const inputs = allModelInputs(run, planner);
    // As the zoo's own.
    if (asksNetworks(settings.sane))
      inputs.dataset = planner.key(dataset, { dataset: name, data: settings.data, validation: 0 });
    return {
      label: `sane ${zoos.join(' + ')} seed ${seed}`,
      config: pretraining(settings.sane),
      seed,
      inputs,
    };
  },

  work(config, input) {
    const zoo = input('zoo');
    const { samples } = populations(input, config.checkpoints);
    const windows = samples * (config.windows_per_sample as number);
    return {
      settings: [...pick(config, [...saneSettings, 'queries']), ...pick(zoo, networkSettings)],
      amount: windows * (config.epochs as number),
    };
  },

  cost({ config, input }) {
    const zoos = zoosAmong(input);
    return costOf(operationsOfPretraining(config, zoos), saneBytes(config, zoos));
  },

  narrow: (settings, given) => (given.has('sane.checkpoints') ? {} : narrowCheckpoints('sane', 1, settings)),

  effective: ({ sane, zoo }) => ({ 'sane.checkpoints': sane.checkpoints ?? zoo.checkpoints }),

  check(run, context) {
    const { catalogue, folders, paper } = context;
    const { settings } = run;
    const { permutation_protocol: protocol, permutations } = settings.sane;
    const opaque = zoosOf(run, (path) => folders.get(path), paper).find(
      ({ architecture }) => catalogue.architectures[architecture]?.opaque,
    );
    return [
      ...(opaque ? checkWithoutLayers(opaque.architecture, settings.sane) : []),
      ...checkCheckpoints('sane', settings),
      ...checkHeads('sane', settings),
      ...checkBatches('sane', run, catalogue),
      ...checkBehaviour(run, context),
      ...(protocol !== 'own' && permutations === null
        ? [
            {
              code: 'no-permutations',
              path: ['sane', 'permutation_protocol'],
              message: `${protocol} needs a number of permutations; with null every view draws a new one`,
              received: 'sane.permutations null',
              hint: 'set sane.permutations',
            },
          ]
        : []),
    ];
  },
};

const configs = new WeakMap<SaneSettings, object>();

/** The settings of a pretraining as part of a config; the same object for all seeds. */
export function pretraining(settings: SaneSettings): object {
  const config = configs.get(settings) ?? configOf(settings);
  configs.set(settings, config);
  return config;
}

/**
 * Whether the models are aligned and how, the inputs say. A loss that is not normalised, or is of weights alone, is as it was before there was
 * a choice, and so is its key.
 */
function configOf({
  alignment: _,
  alignment_orders: __,
  loss_normalization,
  beta,
  queries,
  ...sane
}: SaneSettings): object {
  return {
    ...sane,
    ...(loss_normalization !== 'none' && { loss_normalization }),
    ...(beta !== null && { beta }),
    ...(asksNetworks({ beta }) && { queries }),
  };
}

/** What reorders hidden units, of which nothing is known where the layers are not. */
function checkWithoutLayers(architecture: string, sane: SaneSettings): SettingProblem[] {
  const remedies = [
    ...(sane.alignment ? [['alignment', 'false']] : []),
    ...(['view_1', 'view_2'] as const).flatMap((view) =>
      sane[view] === 'permuted' ? [[view, 'canonical']] : [],
    ),
  ] as [string, string][];
  return remedies.map(([setting, value]) => ({
    code: 'no-layers',
    path: ['sane', setting],
    message: `it reorders hidden units, and of ${architecture} only the tensors are known`,
    hint: `set sane.${setting} to ${value}, or write the layers under architectures`,
  }));
}
