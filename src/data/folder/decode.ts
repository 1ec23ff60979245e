/** Images of a folder as bytes: one size and one number of channels for all. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sizeOf } from '../../base/shape.ts';
import { FormatError } from '../../base/source.ts';
import type { ImageSet, Shape } from '../dataset.ts';
import { type ImageHeader, readImageHeader } from '../formats/image-header.ts';
import { decodePixels, isTransparent, takeColors } from '../formats/pixels.ts';
import { crop } from '../prepare.ts';
import { Resampling } from '../resample.ts';
import type { ListedImage } from './scan.ts';

/** Larger images are refused before they are decoded. */
const maxPixels = 2 ** 27;

/** Images decoded at a time, and their pixels together. */
const mostTogether = 64;
const pixelsTogether = 2 ** 24;

/** What a file's header says. Throws an error that names the file. */
function headerOf(path: string, bytes: Uint8Array): ImageHeader {
  try {
    return readImageHeader(bytes);
  } catch (error) {
    throw new FormatError(`${path}: ${(error as Error).message}`);
  }
}

export class FolderDecoder {
  private readonly resamplings = new Map<string, Resampling>();
  private readonly first: ImageHeader;
  /** Of the decoded images. */
  readonly shape: Shape;

  /** All images are to be as the one at the path `firstPath`, or are resized. Reads its header; throws an error that names it. */
  constructor(
    private readonly folder: string,
    private readonly firstPath: string,
    private readonly resize: number | undefined,
  ) {
    this.first = headerOf(firstPath, readFileSync(firstPath));
    const { height, width, channels } = this.first;
    this.shape = resize === undefined ? [height, width, channels] : [resize, resize, channels];
  }

  /** The images in their order. Throws an error that names a file which is not as the others, or cannot be read. */
  async decode(list: readonly ListedImage[], report: (done: number) => void): Promise<ImageSet> {
    const size = sizeOf(this.shape);
    const images = new Uint8Array(list.length * size);
    const pixels = this.first.height * this.first.width;
    const together = Math.max(1, Math.min(mostTogether, Math.floor(pixelsTogether / pixels)));
    for (let start = 0; start < list.length; start += together) {
      const some = list.slice(start, start + together);
      await Promise.all(
        some.map(({ file }, i) =>
          this.one(join(this.folder, file), images.subarray((start + i) * size, (start + i + 1) * size)),
        ),
      );
      report(start + some.length);
    }
    return { images, labels: Uint8Array.from(list, ({ label }) => label) };
  }

  private async one(path: string, out: Uint8Array): Promise<void> {
    const bytes = await readFile(path);
    const header = headerOf(path, bytes);
    this.check(path, header);
    const pixels = await decodePixels(bytes, maxPixels).catch((error: Error) => {
      throw new FormatError(
        `${path}: cannot be decoded (${error.message}); replace it, or move it elsewhere`,
      );
    });
    if (isTransparent(pixels))
      throw new FormatError(`${path}: an image with transparent pixels; put it on a background`);
    const { height, width, channels } = header;
    if (this.resize === undefined) return takeColors(pixels, out, channels);
    const image = new Uint8Array(height * width * channels);
    takeColors(pixels, image, channels);
    out.set(this.toSquare(image, [height, width, channels], this.resize));
  }

  private check(path: string, { height, width, channels }: ImageHeader): void {
    const kind = (count: number) => (count === 1 ? 'grey' : 'in colour');
    const { first, firstPath } = this;
    if (channels !== first.channels)
      throw new FormatError(
        `${path} is ${kind(channels)} and ${firstPath} ${kind(first.channels)}: convert the one or the other`,
      );
    if (this.resize === undefined && (height !== first.height || width !== first.width))
      throw new FormatError(
        `${path} is ${height} x ${width} and ${firstPath} ${first.height} x ${first.width}: give the data set a side in pixels that all are resized to, such as resize: ${Math.min(first.height, first.width)}`,
      );
  }

  /** The shorter side is resized to the square's, as torchvision's Resize does, and the middle of the longer cut out. */
  private toSquare(image: Uint8Array, shape: Shape, side: number): Uint8Array {
    const [height, width, channels] = shape;
    const shorter = Math.min(height, width);
    const [tall, wide] = [height, width].map((own) => Math.trunc((side * own) / shorter)) as [number, number];
    const key = shape.join();
    const resampling = this.resamplings.get(key) ?? new Resampling(shape, [tall, wide]);
    this.resamplings.set(key, resampling);
    return crop(resampling.apply(image), [tall, wide, channels], side);
  }
}
