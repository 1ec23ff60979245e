/** A matrix in a file of NumPy (.npy), of which rows are read without the rest: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { FormatError } from '../../base/source.ts';

const bytesOf = { '<f4': 4, '<f8': 8 } as const;

/** Far longer than that of a plain matrix. */
const maxHeaderBytes = 65_536;

export class NpyMatrix {
  private constructor(
    readonly path: string,
    readonly rows: number,
    readonly columns: number,
    private readonly bytesPerNumber: 4 | 8,
    private readonly dataStart: number,
  ) {}

  /** Reads the header. Throws a FormatError if the file is no matrix of float32 or float64 in rows, or is cut short. */
  static open(path: string): NpyMatrix {
    const fail = (what: string) => {
      throw new FormatError(`${path}: ${what}`);
    };
    const start = readAt(path, 0, 12);
    if (start.toString('latin1', 0, 6) !== '\x93NUMPY') fail('not a file of NumPy');
    // Version 1.0 has a length of two bytes, later ones of four.
    const [before, length] = start[6] === 1 ? [10, start.readUInt16LE(8)] : [12, start.readUInt32LE(8)];
    if (length > maxHeaderBytes) fail(`its header has ${length} bytes: damaged`);
    const header = readAt(path, before, length).toString('latin1');
    const type = /'descr': '([^']*)'/.exec(header)?.[1] ?? '';
    const [, rows, columns] = /'shape': \((\d+), (\d+)\)/.exec(header) ?? [];
    if (!(type in bytesOf))
      fail(`holds numbers of type ${type || 'unknown'}; expected float32 or float64, <f4 or <f8`);
    if (rows === undefined || columns === undefined) return fail('expected a matrix, with two axes');
    if (!/'fortran_order': False/.test(header))
      fail('its matrix is kept column by column; save it in C order');
    const matrix = new NpyMatrix(
      path,
      Number(rows),
      Number(columns),
      bytesOf[type as keyof typeof bytesOf],
      before + length,
    );
    const [bytes, needed] = [statSync(path).size, matrix.startOf(matrix.rows)];
    if (bytes < needed) fail(`has ${bytes} bytes, its ${rows} rows need ${needed}: it is cut short`);
    return matrix;
  }

  /** The numbers of a row, as float32. */
  row(index: number): Float32Array {
    const bytes = readAt(this.path, this.startOf(index), this.columns * this.bytesPerNumber);
    return Float32Array.from({ length: this.columns }, (_, i) =>
      this.bytesPerNumber === 4 ? bytes.readFloatLE(4 * i) : bytes.readDoubleLE(8 * i),
    );
  }

  private startOf(row: number): number {
    return this.dataStart + row * this.columns * this.bytesPerNumber;
  }
}

function readAt(path: string, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const fd = openSync(path, 'r');
  try {
    for (let at = 0; at < length; ) {
      const got = readSync(fd, bytes, at, length - at, start + at);
      if (got === 0) throw new FormatError(`${path}: it ends before byte ${start + length}: it is cut short`);
      at += got;
    }
  } finally {
    closeSync(fd);
  }
  return bytes;
}
