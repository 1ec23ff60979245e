/** What the first bytes of PNG and JPEG files say, without decoding them. */

export interface ImageHeader {
  height: number;
  width: number;
  /** Grey or in colour; opacity does not count. */
  channels: 1 | 3;
}

/** Reads a header. Throws an error, without the file's name, for what is neither, or of a kind that has no plain bytes of grey or RGB. */
export function readImageHeader(bytes: Uint8Array): ImageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (bytes.length >= 2 && view.getUint16(0) === 0xffd8) return readJpegHeader(view);
    if (bytes.length >= 8 && view.getBigUint64(0) === 0x89504e470d0a1a0an) return readPngHeader(view);
  } catch (error) {
    throw error instanceof RangeError ? new Error('the file is cut short') : error;
  }
  throw new Error('no PNG or JPEG image');
}

const chunk = { animation: 0x6163544c, pixels: 0x49444154 };

/** PNG (ISO/IEC 15948): chunks of length, type, data and checksum, of which IHDR is the first. */
function readPngHeader(view: DataView): ImageHeader {
  const [width, height, bits, color] = [
    view.getUint32(16),
    view.getUint32(20),
    view.getUint8(24),
    view.getUint8(25),
  ];
  if (bits > 8) throw new Error(`an image of ${bits} bits for each number; convert it to 8`);
  for (let at = 8, type = 0; type !== chunk.pixels; at += 12 + view.getUint32(at)) {
    type = view.getUint32(at + 4);
    if (type === chunk.animation) throw new Error('an animated image; keep one frame of it');
  }
  return { height, width, channels: color === 0 || color === 4 ? 1 : 3 };
}

/** JPEG (ITU-T T.81, annex B): segments of marker and length; a frame's is one of SOF0 to SOF15. */
function readJpegHeader(view: DataView): ImageHeader {
  let frame: ImageHeader | undefined;
  for (let at = 2; ; at += 2 + view.getUint16(at + 2)) {
    // Any number of bytes 0xff may fill the space before a marker.
    while (view.getUint16(at) === 0xffff) at++;
    const marker = view.getUint16(at);
    if (marker < 0xffc0) throw new Error('a damaged JPEG image');
    if (marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker))
      frame = readFrame(view, at);
    if (marker !== 0xffda) continue;
    if (!frame) throw new Error('a damaged JPEG image');
    // The decoder would make grey of what is missing.
    for (let end = at; view.getUint16(end) !== 0xffd9; end++);
    return frame;
  }
}

function readFrame(view: DataView, at: number): ImageHeader {
  const [bits, components] = [view.getUint8(at + 4), view.getUint8(at + 9)];
  if (bits !== 8) throw new Error(`an image of ${bits} bits for each number; convert it to 8`);
  if (components !== 1 && components !== 3)
    throw new Error('an image in CMYK, the colours of printers; convert it to RGB');
  return { height: view.getUint16(at + 5), width: view.getUint16(at + 7), channels: components };
}
