import type { Report } from '../base/progress.ts';
import { Source as FileSource, FormatError } from '../base/source.ts';
import { readMember, readZipDirectory, type ZipMember } from '../base/zip.ts';
import { damaged } from './damaged.ts';
import type { Dataset, ImageSet, Shape } from './dataset.ts';
import { findFile, onlineOnce, type Publication } from './files.ts';
import { decodeJpeg } from './formats/jpeg.ts';
import type { PublishedFile } from './published.ts';

/**
 * Tiny-ImageNet: a zip archive of JPEG images in a folder for each class. The labels of its test set were never published; its validation set
 * stands for it, as in the paper's zoo. Classes are in the order of its own list, wnids.txt.
 */

const shape: Shape = [64, 64, 3];
const size = shape[0] * shape[1] * shape[2];
const classes = 200;
const folder = 'tiny-imagenet-200';

/** Images decoded at a time. */
const together = 64;
const reportEveryMs = 250;

interface Picture {
  member: ZipMember;
  label: number;
}

/** An archive that is open. */
class Archive {
  constructor(
    private readonly path: string,
    private readonly source: FileSource,
    private readonly members: ReadonlyMap<string, ZipMember>,
  ) {}

  private member(name: string): ZipMember {
    const found = this.members.get(`${folder}/${name}`);
    if (!found) throw damaged(this.path, `the archive has no ${folder}/${name}`);
    return found;
  }

  private async lines(name: string): Promise<string[]> {
    const text = Buffer.from(await readMember(this.source, this.member(name))).toString('latin1');
    return text.split(/\r?\n/).filter((line) => line !== '');
  }

  /** The classes in their order. */
  async classes(): Promise<string[]> {
    const names = await this.lines('wnids.txt');
    if (names.length > 0 && names.length <= classes) return names;
    throw damaged(this.path, `wnids.txt names ${names.length} classes, expected ${classes}`);
  }

  /** By class, and in each by number. */
  training(names: readonly string[]): Picture[] {
    const numbered = new Map<string, [number, ZipMember][]>();
    for (const member of this.members.values()) {
      const [, name, number] = /\/train\/([^/]+)\/images\/[^/]+_(\d+)\.JPEG$/.exec(member.name) ?? [];
      if (name === undefined) continue;
      if (!names.includes(name)) throw damaged(this.path, `${member.name} is of no class of wnids.txt`);
      const others = numbered.get(name);
      if (others) others.push([Number(number), member]);
      else numbered.set(name, [[Number(number), member]]);
    }
    return names.flatMap((name, label) =>
      (numbered.get(name) ?? []).sort(([a], [b]) => a - b).map(([, member]) => ({ member, label })),
    );
  }

  /** In the order of the list of annotations. */
  async validation(names: readonly string[]): Promise<Picture[]> {
    return (await this.lines('val/val_annotations.txt')).map((line) => {
      const [image = '', name = ''] = line.split('\t');
      const label = names.indexOf(name);
      if (label < 0)
        throw damaged(
          this.path,
          `val_annotations.txt gives ${image} the class ${name}, which wnids.txt has not`,
        );
      return { member: this.member(`val/images/${image}`), label };
    });
  }

  /** Decodes the pictures into one array: it is large, and held once. */
  async decode(pictures: readonly Picture[], report: (done: number) => void): Promise<ImageSet> {
    const images = new Uint8Array(pictures.length * size);
    let toldAt = Number.NEGATIVE_INFINITY;
    for (let start = 0; start < pictures.length; start += together) {
      const some = pictures.slice(start, start + together);
      await Promise.all(
        some.map(async ({ member }, i) => {
          const out = images.subarray((start + i) * size, (start + i + 1) * size);
          await decodeJpeg(
            `${this.path} (${member.name})`,
            await readMember(this.source, member),
            shape,
            out,
          );
        }),
      );
      if (performance.now() - toldAt < reportEveryMs) continue;
      toldAt = performance.now();
      report(start + some.length);
    }
    return { images, labels: Uint8Array.from(pictures, ({ label }) => label) };
  }
}

/** Both splits from the archive at that path. Errors name it. */
export async function readTinyImagenet(
  path: string,
  report: Report,
): Promise<{ train: ImageSet; test: ImageSet }> {
  const source = await FileSource.open(path);
  try {
    const archive = new Archive(path, source, await readZipDirectory(source));
    const names = await archive.classes();
    const [training, validation] = [archive.training(names), await archive.validation(names)];
    if (training.length === 0) throw damaged(path, `the archive has no images in ${folder}/train`);
    const total = training.length + validation.length;
    const reportFrom = (before: number) => (done: number) =>
      report({ done: before + done, total, unit: 'images decoded' });
    return {
      train: await archive.decode(training, reportFrom(0)),
      test: await archive.decode(validation, reportFrom(training.length)),
    };
  } catch (error) {
    throw error instanceof FormatError ? damaged(path, error.message) : error;
  } finally {
    await source.close();
  }
}

const file: PublishedFile = {
  name: 'tiny-imagenet-200.zip',
  md5s: ['90528d7ca1a48142e341f4ef8d21d0de'],
  bytes: 248_100_043,
};

const publication: Publication = {
  dataset: 'tiny-imagenet',
  files: [file],
  installed: [],
  mirrors: ['http://cs231n.stanford.edu'],
  remedy: onlineOnce,
};

export const tinyImagenet: Dataset = {
  name: 'tiny-imagenet',
  description: 'photographs of two hundred kinds of things, 64x64 in colour',
  standsFor: [],
  shape,
  classes,
  // As the zoo of ResNet-18 has it: ImageNet's.
  normalize: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  counts: { train: 100_000, test: 10_000 },
  publication,
  load: async (source) => readTinyImagenet(await findFile(publication, file, source), source.report),
};
