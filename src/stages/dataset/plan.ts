/** Stage `dataset` to a plan: the images of a data set, as many as asked for, prepared as asked for. */
import type { JsonObject } from '../../base/json.ts';
import { sizeOf } from '../../base/shape.ts';
import { datasets } from '../../data/registry.ts';
import type { DatasetDescription } from '../../experiment/catalogue.ts';
import type { PaperSettings, Planned } from '../../experiment/stage-plan.ts';
import type { DataSettings } from '../../experiment/types.ts';
import { type Combination, forAnother } from '../for-another.ts';
import type { Stage } from '../stage.ts';
import { pick } from '../work.ts';
import { checkImages } from './check.ts';
import schema from './settings.json' with { type: 'json' };

/** Which images. */
interface Images {
  dataset: string;
  data: DataSettings;
  /** Images to choose candidates by: null for all that are left over, 0 for none. */
  validation: number | null;
}

type Kind = Pick<DatasetDescription, 'shape' | 'classes' | 'counts' | 'drawn'>;

/** What the images of such a stage are like: the program's, or the experiment's own as they were when it was planned. */
export const imagesOf = ({ config, options }: Planned): Kind | undefined =>
  datasets[config.dataset as string] ?? (options?.shape ? (options as unknown as Kind) : undefined);

/** Images of a data set of which nothing is known: as most have. */
const usualCounts = { train: 50_000, test: 10_000 };

/** How many images of each split such a stage keeps. Of validation images apart from the training images there may be fewer or more. */
export function imageCounts(planned: Planned | undefined): Record<'train' | 'test' | 'validation', number> {
  const { counts = usualCounts, drawn = false } = (planned && imagesOf(planned)) ?? {};
  const { train_images, test_images, validation_images } = (planned?.config ?? {}) as Partial<
    Record<string, number | null>
  >;
  const train = train_images ?? counts.train;
  const left = drawn ? counts.test : Math.max(0, counts.train - train);
  return {
    ...{ train, test: test_images ?? counts.test },
    validation: validation_images === undefined ? 0 : (validation_images ?? left),
  };
}

/** Height, width, channels of images as they are prepared by a config. */
export function preparedShape({ shape }: Pick<Kind, 'shape'>, config: JsonObject): [number, number, number] {
  const [height, width, channels] = shape;
  const side = (config.resize ?? config.crop) as number | null | undefined;
  return [side ?? height, side ?? width, config.grey ? 1 : channels];
}

/** Where the images are, and what they are like, for estimates. */
const optionsOf = ({ shape, classes, counts }: Kind, folder: string): JsonObject => ({
  ...{ folder, classes },
  ...{ shape: [...shape], counts: { ...counts } },
});

export const dataset: Stage<Images> = {
  name: 'dataset',
  description: 'reads or draws images, and prepares them',
  version: 1,
  usesDevice: false,
  load: async () => (await import('./run.ts')).datasetStage,
  settings: {
    block: 'data',
    schema,
    nullMeans: { crop: 'none', resize: 'none', normalize: "the data set's" },
  },

  /** What is done to images is in the config only where something is. */
  plan({ dataset, data: { train_images, test_images, ...prepared }, validation }, planner) {
    const done = Object.entries(prepared).filter(([, value]) => value !== null && value !== false);
    const described = planner.dataset(dataset);
    const own = described?.folder;
    const config = {
      ...{ dataset, train_images, test_images },
      ...(own && { images: own.content }),
      ...Object.fromEntries(done),
    };
    const where = { inputs: {}, ...(described && own && { options: optionsOf(described, own.path) }) };
    return validation === 0
      ? { label: `dataset ${dataset}`, config, ...where }
      : {
          label: `dataset ${dataset} with validation images`,
          config: { ...config, validation_images: validation },
          ...where,
        };
  },

  /** Of the images that a zoo is trained on; which others a run reads, its other stages know. */
  check: ({ dataset, settings: { data, zoo } }, context) =>
    zoo.import === null ? checkImages(dataset, data, context) : [],

  cost(planned) {
    const found = imagesOf(planned);
    if (!found) return { operations: 0, bytes: 0 };
    const images = Object.values(imageCounts(planned)).reduce((sum, count) => sum + count, 0);
    // A byte for each number of an image, and one for its class.
    return { operations: 0, bytes: images * (sizeOf(preparedShape(found, planned.config)) + 1) };
  },

  work: (config) => ({ settings: pick(config, ['dataset', 'train_images', 'test_images']), amount: 1 }),
};

/** The block `data` of a run for the images of another data set or architecture. */
export const dataSettingsFor = (
  data: DataSettings,
  run: Combination,
  other: Combination,
  paper: PaperSettings,
): DataSettings => forAnother(data, paper(run).data, paper(other).data);
