/** Stage `dataset`: loads the images, takes the subset asked for, prepares them as asked for, and keeps both in one file. */
import { join } from 'node:path';
import { Random } from '../../base/random.ts';
import { writeSafetensors } from '../../base/safetensors.ts';
import type { Dataset, ImageFormat, ImageSet, Normalization, Wanted } from '../../data/dataset.ts';
import { folderDataset } from '../../data/folder/dataset.ts';
import { cacheFolder, imagesName } from '../../data/images.ts';
import { preparationSteps, prepareImages } from '../../data/prepare.ts';
import { getDataset } from '../../data/registry.ts';
import type { DataSettings, ImageFolder } from '../../experiment/types.ts';
import type { StageContext, StageImplementation } from '../stage.ts';

/** The numbers of `count` images after a shuffle that depends on nothing but the split's name; null for all of them, in order. */
function subset(available: number, count: number | null, split: string, dataset: string): Int32Array | null {
  if (count === null) return null;
  if (count > available) {
    throw new Error(
      `data.${split}_images asks for ${count} images, ${dataset} has ${available}: lower it or leave it out`,
    );
  }
  return shuffled(available, split).subarray(0, count);
}

const shuffled = (available: number, split: string) =>
  new Random(0, 'data', 'subset', split).permutation(available);

/** `count` validation images, all for null: those that the data set has apart, or the training images that `train` leaves over. */
function validation(
  { train, validation: apart }: { train: ImageSet; validation?: ImageSet },
  count: number | null,
  trained: number | null,
  dataset: string,
): { set: ImageSet; order: Int32Array } {
  const set = apart ?? train;
  const left = apart
    ? Int32Array.from(apart.labels, (_, i) => i)
    : shuffled(train.labels.length, 'train').subarray(trained ?? train.labels.length);
  if (left.length < (count ?? 1)) {
    throw new Error(
      `generation.validation_images asks for ${count ?? 'what data.train_images leaves over'}, which is ${left.length} of the images of ${dataset}: lower data.train_images, or set it to 0 to choose candidates by the training images`,
    );
  }
  return { set, order: left.subarray(0, count ?? left.length) };
}

/** The mean and standard deviation asked for, of the images' channels. */
function normalization(
  { name, normalize: own }: ImageFormat,
  asked: DataSettings['normalize'],
  channels: number,
): Normalization {
  if (asked && asked.mean.length === channels && asked.std.length === channels) return asked;
  if (asked) {
    const given = `${asked.mean.length} means and ${asked.std.length} standard deviations`;
    throw new Error(
      `data.normalize has ${given}, the images of ${name} have ${channels} channels: give one for each`,
    );
  }
  if (own.mean.length === channels) return own;
  // Images made grey: data sets in colour whose own numbers differ between channels say so in data.normalize.
  const [mean, std] = [own.mean, own.std].map((values) => [...new Set(values)]) as [number[], number[]];
  if (mean.length === 1 && std.length === 1) return { mean, std };
  throw new Error(
    `${name} has a mean for each of ${own.mean.length} channels, its images made grey have ${channels}: give data.normalize`,
  );
}

/** What the config of the stage says; settings that do nothing are not in it. */
type Config = { dataset: string } & Pick<DataSettings, 'train_images' | 'test_images'> &
  Partial<DataSettings> & {
    validation_images?: number | null;
    /** Of a folder that the experiment names: what was in it when the run was planned. */
    images?: Omit<ImageFolder, 'folder'> & { fingerprint: string };
    folder?: string;
  };

/** The program's data set of this name, or that of the folder. Throws if the folder is not as it was when the run was planned. */
function datasetOf(name: string, folder: string | undefined, images: Config['images']): Dataset {
  if (folder === undefined || images === undefined) return getDataset(name);
  const { fingerprint, ...settings } = images;
  const dataset = folderDataset(name, { ...settings, folder });
  if (dataset.folder.content.fingerprint === fingerprint) return dataset;
  throw new Error(`the images in ${folder} changed between planning and reading: run the same command again`);
}

export const datasetStage: StageImplementation = {
  async execute({ config, dir, dataDir, report }: StageContext): Promise<void> {
    const {
      dataset: name,
      train_images,
      test_images,
      validation_images,
      folder,
      images,
      ...asked
    } = config as unknown as Config;
    const dataset = datasetOf(name, folder, images);
    const { grey = false, crop = null, resize = null } = asked;
    const prepared = preparationSteps(name, dataset.shape, { grey, crop, resize });
    const normalize = normalization(dataset, asked.normalize ?? null, prepared.shape[2]);
    const wanted: Wanted = {
      train: train_images,
      test: test_images,
      ...(validation_images !== undefined && { validation: validation_images }),
    };
    const all = await dataset.load({ dataDir, cacheDir: cacheFolder(), report }, wanted);
    const splits = (['train', 'test'] as const).map((split) => {
      const order = subset(all[split].labels.length, wanted[split], split, name);
      return { split: split as string, set: all[split], order };
    });
    if (validation_images !== undefined) {
      splits.push({ split: 'validation', ...validation(all, validation_images, train_images, name) });
    }
    const tensors = splits.flatMap(({ split, set, order }) => {
      const { images, labels } = prepareImages(set, dataset.shape, prepared, order);
      return [
        { name: `${split}.images`, shape: [labels.length, ...prepared.shape], data: images },
        { name: `${split}.labels`, shape: [labels.length], data: labels },
      ];
    });
    await writeSafetensors(join(dir, imagesName), tensors, {
      dataset: name,
      classes: String(dataset.classes),
      normalize: JSON.stringify(normalize),
    });
  },
};
