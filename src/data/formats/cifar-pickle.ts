/** A batch of CIFAR's Python version: a pickle of Python 2 with a NumPy array of planes and a list of labels. Nothing in it is run. */
import { Inert, unpickle } from '../../base/pickle.ts';
import { damaged } from '../damaged.ts';

/** The planes [n, numbers] and the labels [n] under the key `labels`. Errors name the file. */
export function readCifarPickle(
  file: string,
  bytes: Uint8Array,
  { labels: key, planes }: { labels: string; planes: number },
): { planes: Uint8Array; labels: Uint8Array } {
  const host = {
    global: (module: string, name: string) => new Inert(`${module}.${name}`),
    persistent: () => {
      throw damaged(file, 'it names parts of other files');
    },
    bytes: true as const,
  };
  const { value } = unpickle(bytes, host);
  const text = (one: unknown) => (one instanceof Uint8Array ? Buffer.from(one).toString('latin1') : one);
  const entries = new Map(value instanceof Map ? Array.from(value, ([name, one]) => [text(name), one]) : []);
  const array = entries.get('data');
  // A NumPy array: version, shape, type, whether columns come first, bytes.
  const state = array instanceof Inert && Array.isArray(array.state) ? array.state : [];
  const [, shape, , byColumns, data] = state as unknown[];
  const labels: unknown = entries.get(key);
  const isByte = (label: unknown) =>
    Number.isInteger(label) && (label as number) >= 0 && (label as number) < 256;
  if (!Array.isArray(labels) || !labels.every(isByte)) throw damaged(file, `has no list of ${key}`);
  if (!(data instanceof Uint8Array) || byColumns !== false || data.length !== labels.length * planes)
    throw damaged(file, `has no array of bytes of ${labels.length} x ${planes}, but [${String(shape)}]`);
  return { planes: data, labels: Uint8Array.from(labels as number[]) };
}
