/** JPEG images by Bun's own decoder, libjpeg-turbo, which PIL and torchvision have too: the bytes are the same. */
import { inflateSync } from 'node:zlib';
import { damaged } from '../damaged.ts';
import type { Shape } from '../dataset.ts';

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
  // Bun hands out no pixels, only files: a PNG that is not compressed is the nearest.
  const image = new Bun.Image(bytes as Uint8Array<ArrayBuffer>, { autoOrient: false, maxPixels });
  const png = await image
    .png({ compressionLevel: 0 })
    .bytes()
    .catch((error: Error) => {
      throw damaged(file, `the JPEG image cannot be decoded (${error.message})`);
    });
  const found = unpackPng(png);
  if (found.width !== width || found.height !== height)
    throw damaged(file, `an image of ${found.height} x ${found.width}, expected ${height} x ${width}`);
  const { rows, channels } = found;
  for (let y = 0, to = 0; y < height; y++) {
    // Each row begins with the number of its filter.
    for (let x = 0, from = y * (width * channels + 1) + 1; x < width; x++, from += channels, to += 3) {
      for (let c = 0; c < 3; c++) out[to + c] = rows[from + c] as number;
    }
  }
}

/** The rows of an RGB or RGBA image of 8 bits that Bun wrote uncompressed: without filters, and not interlaced. */
function unpackPng(png: Uint8Array): { width: number; height: number; channels: number; rows: Uint8Array } {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const [width, height, bits, color] = [view.getUint32(16), view.getUint32(20), png[24], png[25]];
  const channels = color === 6 ? 4 : 3;
  const parts: Uint8Array[] = [];
  for (let at = 8; at < png.length; at += 12 + view.getUint32(at)) {
    const body = at + 8;
    if (view.getUint32(at + 4) === 0x49444154) parts.push(png.subarray(body, body + view.getUint32(at)));
  }
  const rows = inflateSync(Buffer.concat(parts));
  const stride = width * channels + 1;
  const plain = rows.length === stride * height && rows.every((byte, i) => i % stride !== 0 || byte === 0);
  if (bits !== 8 || (color !== 6 && color !== 2) || !plain)
    throw new Error('Bun.Image wrote a PNG of another kind than Bun 1.4.5 does: please report this');
  return { width, height, channels, rows };
}
