import { join } from 'node:path';
import type { Random } from '../../src/base/random.ts';
import {
  dict,
  global,
  orderedDict,
  pickle,
  reduce,
  string,
  text,
  torchZip,
} from '../zoo/formats/torch-files.ts';
import type { Campaign } from './campaign.ts';

/** Far above what the program needs for a small file (some 100 MB), far below what harms a machine. */
const maxBytes = 700e6;
const maxMs = 60_000;
/** No message about one file is longer. */
const maxPrinted = 20_000;

type Content = string | Uint8Array;

/** Experiments that are made to take time, memory or the screen; `n` is how much of it. */
const experiments: Record<string, (n: number) => string> = {
  brackets: (n) => '['.repeat(n),
  braces: (n) => `a: ${'{'.repeat(n)}`,
  lists: (n) => '- '.repeat(n / 2),
  'explicit keys': (n) => '? '.repeat(n / 2),
  'closing brackets': (n) => 'a: ]'.repeat(n / 40),
  tags: (n) => '!!a &b '.repeat(n / 70),
  quotes: (n) => `a: "${'\\'.repeat(n)}`,
  'a long line': (n) => `name: ${'x'.repeat(n)}\ngrid: 1`,
  'unknown keys': (n) => Array.from({ length: n / 500 }, (_, i) => `k${i}: 1`).join('\n'),
  aliases: (n) =>
    Array.from({ length: 8 + (n % 20) }, (_, i) =>
      i === 0 ? 'a0: &a0 [x, x]' : `a${i}: &a${i} [*a${i - 1}, *a${i - 1}, *a${i - 1}]`,
    ).join('\n'),
  grid: (n) => {
    const list = Array.from({ length: 200 + (n % 1000) }, (_, i) => i + 10).join(', ');
    const axes = `seed: [${list}], zoo.seed: [${list}], zoo.models: [${list}]`;
    return `name: big\ngrid: {architecture: [cnn-small], dataset: [glyphs], task: [property-prediction], ${axes}}\ntables: [1]\n`;
  },
};

/** `depth` tuples, each of the one before, twice. */
function tuples(depth: number): Uint8Array {
  const twice = text('2\x86');
  return Buffer.concat([string('x'), ...Array.from({ length: depth }, () => twice)]);
}

const state = (value: Uint8Array) => torchZip(pickle(orderedDict({ weight: value })), {});

/** Checkpoints such as these. */
const checkpoints: Record<string, (n: number) => Uint8Array> = {
  'nested tuples': (n) => state(tuples(20 + (n % 200))),
  'a device of tuples': (n) => state(reduce(global('torch', 'device'), tuples(20 + (n % 200)))),
  'an encoding of tuples': (n) =>
    state(reduce(global('_codecs', 'encode'), tuples(20 + (n % 200)), string('latin1'))),
  'an attribute of tuples': (n) =>
    state(reduce(global('builtins', 'getattr'), tuples(20 + (n % 200)), string('x'))),
  'a program': () => state(reduce(global('os', 'system'), string('touch /tmp/campaign-was-here'))),
  'open marks': (n) => torchZip(pickle(text('('.repeat(n))), {}),
  'nested dictionaries': (n) => {
    let value = dict({});
    for (let i = 0; i < n % 2000; i++) value = dict({ a: value });
    return state(value);
  },
  'brackets as a header': (n) => safetensors('['.repeat(n)),
  'a header of many tensors': (n) =>
    safetensors(
      JSON.stringify(
        Object.fromEntries(
          Array.from({ length: n / 50 }, (_, i) => [
            `t${i}`,
            { dtype: 'F32', shape: [0], data_offsets: [0, 0] },
          ]),
        ),
      ),
    ),
  'a shape without end': (n) =>
    safetensors(
      `{"a":{"dtype":"F32","shape":[${Array.from({ length: n / 10 }, () => 1e15).join()}],"data_offsets":[0,4]}}`,
    ),
};

function safetensors(header: string): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header)]);
}

function choose(random: Random): { what: string; name: string; content: Content } {
  const n = 1000 + random.integer(99_000);
  const kinds = [...Object.keys(experiments), ...Object.keys(checkpoints)];
  const what = kinds[random.integer(kinds.length)] as string;
  const experiment = experiments[what];
  if (experiment) return { what, name: 'hostile.yaml', content: experiment(n) };
  return { what, name: 'hostile.pt', content: (checkpoints[what] as (n: number) => Uint8Array)(n) };
}

/** Reads a file in a process of its own. Returns what is wrong with how that went. */
export async function readApart(path: string, control: boolean): Promise<string[]> {
  const program = join(import.meta.dir, 'read.ts');
  const begin = performance.now();
  const child = Bun.spawn([process.execPath, program, path, ...(control ? ['trust'] : [])], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), maxMs);
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const code = await child.exited;
  clearTimeout(timer);
  if (performance.now() - begin > maxMs) return [`it took more than ${maxMs / 1000} s`];
  if (code !== 0) return [`it ended with ${child.signalCode ?? code}: ${err.slice(0, 400)}`];
  const bytes = child.resourceUsage()?.maxRSS ?? 0;
  return [
    ...(bytes > maxBytes ? [`it took ${(bytes / 1e6).toFixed(0)} MB`] : []),
    ...(out.length > maxPrinted ? [`it printed ${out.length} characters`] : []),
  ];
}

export const hostile: Campaign = {
  name: 'hostile',
  description:
    'experiments and checkpoints made to take time, memory or the screen; each is refused or read, within bounds',
  needsRun: false,

  async trial(ground, random, control) {
    const { what, name, content } = choose(random);
    const path = join(ground.root, name);
    await Bun.write(path, content);
    return (await readApart(path, control)).map((problem) => `${what}, ${content.length} bytes: ${problem}`);
  },
};
