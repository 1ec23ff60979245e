/** PNG and JPEG images by Bun's own decoder, libjpeg-turbo for JPEG, which PIL and torchvision have too: the bytes are the same. */
import { inflateSync } from 'node:zlib';

/** Rows of pixels of 8 bits, each row behind a byte that says nothing; grey images have three equal channels, the fourth is opacity. */
export interface Pixels {
  width: number;
  height: number;
  channels: 3 | 4;
  rows: Uint8Array;
}

/** Decodes an image as it is stored, whatever way up it is to be shown. Throws an error if it cannot be, or has more pixels. */
export async function decodePixels(bytes: Uint8Array, maxPixels: number): Promise<Pixels> {
  // Bun hands out no pixels, only files: a PNG that is not compressed is the nearest.
  const image = new Bun.Image(bytes as Uint8Array<ArrayBuffer>, { autoOrient: false, maxPixels });
  return unpackPng(await image.png({ compressionLevel: 0 }).bytes());
}

/** Takes the colours of decoded rows [height, width, channels] into `out`, of which grey images have one channel. */
export function takeColors({ width, height, channels, rows }: Pixels, out: Uint8Array, colors: 1 | 3): void {
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0, from = y * (width * channels + 1) + 1; x < width; x++, from += channels, to += colors) {
      for (let c = 0; c < colors; c++) out[to + c] = rows[from + c] as number;
    }
  }
}

/** Whether a pixel is not opaque. */
export function isTransparent({ width, height, channels, rows }: Pixels): boolean {
  if (channels === 3) return false;
  const stride = width * channels + 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) if (rows[y * stride + 4 * x + 4] !== 255) return true;
  }
  return false;
}

/** The rows of an RGB or RGBA image of 8 bits that Bun wrote uncompressed: without filters, and not interlaced. */
function unpackPng(png: Uint8Array): Pixels {
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
