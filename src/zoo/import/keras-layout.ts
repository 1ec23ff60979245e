/** Which columns of a matrix of weights are which tensor of a Keras network, and the same tensors as PyTorch has them. */
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { sizeOf } from '../../base/shape.ts';
import { FormatError } from '../../base/source.ts';
import type { ImageSize, StateDict } from '../../nets/architecture.ts';
import type { WrittenArchitecture, WrittenLayer } from '../../nets/written.ts';

interface Variable {
  /** As a state dict has it: `conv2d_1.weight`. */
  name: string;
  start: number;
  /** In Keras' order: kernels of convolutions [height, width, in, out], of dense layers [in, out]. */
  shape: number[];
}

export class KerasLayout {
  private constructor(
    /** Weight, then bias of each layer. */
    private readonly variables: readonly Variable[],
    readonly columns: number,
  ) {}

  /** Reads a layout: a CSV file with a variable's name, its first column and the one behind its last, and its shape in each line. */
  static read(path: string): KerasLayout {
    const rows = readRows(path);
    const variables = rows.map((row, i) => toVariable(row, `${path}:${i + 2}`));
    const byColumn = variables.toSorted((a, b) => a.start - b.start);
    let columns = 0;
    for (const { name, start, shape } of byColumn) {
      if (start !== columns)
        throw new FormatError(`${path}: ${name} begins with column ${start}, expected ${columns}`);
      columns += sizeOf(shape);
    }
    return new KerasLayout(inOrder(variables), columns);
  }

  /** The shapes of the tensors in PyTorch's order. */
  get shapes(): Map<string, number[]> {
    return new Map(this.variables.map(({ name, shape }) => [name, turned(shape)]));
  }

  /** The tensors of a network in PyTorch's order: [out, in, height, width] and [out, in]. */
  tensors(row: Float32Array): StateDict {
    return new Map(
      this.variables.map(({ name, start, shape }) => [
        name,
        turn(row.subarray(start, start + sizeOf(shape)), shape),
      ]),
    );
  }

  /** The network's layers: convolutions of this stride without padding, a global mean, dense layers. Throws a FormatError of others. */
  architecture(input: ImageSize, stride: number): WrittenArchitecture {
    const weights = this.variables.filter(({ name }) => name.endsWith('.weight'));
    const layers = weights.flatMap(({ name, shape }, i): WrittenLayer[] => {
      const layer = name.slice(0, -'.weight'.length);
      const isLast = i === weights.length - 1;
      const outputs = shape.at(-1) as number;
      if (shape.length === 2) {
        const before: WrittenLayer[] =
          weights[i - 1]?.shape.length === 4 ? [{ kind: 'global-average-pool' }] : [];
        const dense: WrittenLayer = { kind: 'linear', name: layer, outputs: isLast ? 'classes' : outputs };
        return [...before, dense, ...(isLast ? [] : [{ kind: 'activation' as const }])];
      }
      const convolution: WrittenLayer = {
        kind: 'conv2d',
        name: layer,
        outputs,
        kernel: shape[0] as number,
        stride,
      };
      return [convolution, { kind: 'activation' }, { kind: 'dropout' }];
    });
    return { input, layers };
  }

  /** Channels of the images. */
  get channels(): number {
    return this.variables[0]?.shape.at(-2) as number;
  }
}

function readRows(path: string): Record<string, string>[] {
  try {
    return parse(readFileSync(path), { columns: true, trim: true, bom: true, skip_empty_lines: true });
  } catch (error) {
    throw new FormatError(`${path}: ${(error as Error).message}`);
  }
}

/** `sequential/conv2d/kernel:0,16,160,"(3, 3, 1, 16)"`. */
function toVariable(row: Record<string, string>, where: string): Variable {
  const missing = ['varname', 'start_idx', 'end_idx', 'shape'].find((column) => row[column] === undefined);
  if (missing !== undefined) throw new FormatError(`${where}: no column ${missing}`);
  const [, layer, part] = /([^/]+)\/(kernel|bias)(?::0)?$/.exec(row.varname as string) ?? [];
  const shape = (row.shape as string).match(/\d+/g)?.map(Number) ?? [];
  const axes = part === 'bias' ? [1] : [2, 4];
  if (layer === undefined || !axes.includes(shape.length))
    throw new FormatError(
      `${where}: ${row.varname} of shape ${row.shape} is no kernel or bias of a convolution or dense layer`,
    );
  const [start, end] = [Number(row.start_idx), Number(row.end_idx)];
  if (end - start !== sizeOf(shape))
    throw new FormatError(
      `${where}: ${row.varname} has the columns ${start} to ${end}, its shape ${row.shape} needs ${sizeOf(shape)}`,
    );
  return { name: `${layer}.${part === 'bias' ? 'bias' : 'weight'}`, start, shape };
}

/** Layers in the order of their first columns, in each the weight first, which Keras' files have behind the bias. */
function inOrder(variables: readonly Variable[]): Variable[] {
  const layerOf = ({ name }: Variable) => name.slice(0, name.lastIndexOf('.'));
  const layers = [
    ...Map.groupBy(
      variables.toSorted((a, b) => a.start - b.start),
      layerOf,
    ).values(),
  ];
  return layers.flatMap((own) => own.toSorted((a, b) => (a.name < b.name ? 1 : -1)));
}

/** The shape of a tensor with its last two axes, in and out, at the front in turn. */
const turned = (shape: readonly number[]): number[] =>
  shape.length === 1 ? [...shape] : [...shape.slice(-2).reverse(), ...shape.slice(0, -2)];

/** A tensor [..., in, out] as [out, in, ...]. */
function turn(values: Float32Array, shape: readonly number[]): Float32Array {
  if (shape.length === 1) return values.slice();
  const [inputs, outputs] = shape.slice(-2) as [number, number];
  const places = values.length / (inputs * outputs);
  const result = new Float32Array(values.length);
  for (let o = 0, to = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let p = 0; p < places; p++) result[to++] = values[(p * inputs + i) * outputs + o] as number;
    }
  }
  return result;
}
