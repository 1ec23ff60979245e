/** The wasm device's own: the committed module is that of the sources, and its memory. */
import { expect, test } from 'bun:test';
import { keyOf, modulePath, sourcesKey } from '../../src/tensor/devices/wasm/build.ts';
import { Heap } from '../../src/tensor/devices/wasm/heap.ts';

const committed = await Bun.file(modulePath).bytes();

test('the module was made of the C files as they are; if not: bun run wasm', async () => {
  expect(keyOf(await WebAssembly.compile(committed))).toBe(await sourcesKey());
});

test('the heap joins what is released, and says when there is no more', () => {
  const page = 65536;
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 5, shared: true });
  const heap = new Heap(memory);
  const allocate = (bytes: number) => heap.allocate(bytes) as NonNullable<ReturnType<Heap['allocate']>>;
  const [a, b, c] = [allocate(page), allocate(page), allocate(2 * page)];
  expect([a, b, c].map(({ offset }) => offset)).toEqual([page, 2 * page, 3 * page]);
  expect(heap.allocate(64)).toBeUndefined();
  new Uint8Array(c.buffer, c.offset, c.capacity).fill(1);
  heap.release(a);
  heap.release(c);
  expect(heap.allocate(3 * page)).toBeUndefined();
  heap.release(b);
  expect(heap.allocate(4 * page)?.offset).toBe(page);
});
