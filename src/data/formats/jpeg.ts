/** JPEG images of published data sets. */
import { damaged } from '../damaged.ts';
import type { Shape } from '../dataset.ts';
import { decodePixels, takeColors } from './pixels.ts';

/** Larger images are refused before they are decoded. */
const maxPixels = 2 ** 22;

/** The pixels of a JPEG image [height, width, 3] into `out`; grey ones get three equal channels. Errors name the file. */
export async function decodeJpeg(
  file: string,
  bytes: Uint8Array,
  [height, width]: Shape,
  out: Uint8Array,
): Promise<void> {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw damaged(file, 'no JPEG image');
  const found = await decodePixels(bytes, maxPixels).catch((error: Error) => {
    throw damaged(file, `the JPEG image cannot be decoded (${error.message})`);
  });
  if (found.width !== width || found.height !== height)
    throw damaged(file, `an image of ${found.height} x ${found.width}, expected ${height} x ${width}`);
  takeColors(found, out, 3);
}
