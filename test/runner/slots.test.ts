import { expect, test } from 'bun:test';
import { Slots } from '../../src/runner/slots.ts';

test('no more at once than there are places, by priority, then in order', async () => {
  const slots = new Slots(2);
  const order: string[] = [];
  let inside = 0;
  let most = 0;
  const work = (name: string, priority: number) =>
    slots.use(priority, async () => {
      most = Math.max(most, ++inside);
      order.push(name);
      await Bun.sleep(5);
      inside--;
    });
  await Promise.all([work('late', 2), work('a', 1), work('b', 1), work('first', 0), work('c', 1)]);
  expect(most).toBe(2);
  expect(order).toEqual(['first', 'a', 'b', 'c', 'late']);
});

test('the one who comes back with urgent work goes before those who wait', async () => {
  const slots = new Slots(1);
  const order: string[] = [];
  const work = (name: string, priority: number) => slots.use(priority, async () => void order.push(name));
  const returning = work('begin', 1).then(() => work('go on', 0));
  await Promise.all([returning, work('other', 1)]);
  expect(order).toEqual(['begin', 'go on', 'other']);
});

test('work that throws leaves its place', async () => {
  const slots = new Slots(1);
  const failing = slots.use(0, () => Promise.reject(new Error('no')));
  expect(failing).rejects.toThrow('no');
  expect(await slots.use(0, async () => 1)).toBe(1);
});

test('wanted places are those taken and those waited for, as many as there are', async () => {
  const slots = new Slots(3);
  const seen: number[] = [];
  const work = () => slots.use(0, async () => void seen.push(slots.wanted));
  expect(slots.wanted).toBe(0);
  await work();
  await Promise.all([work(), work()]);
  await Promise.all(Array.from({ length: 5 }, work));
  expect(seen.slice(0, 2)).toEqual([1, 2]);
  expect(Math.max(...seen)).toBe(3);
  expect(slots.wanted).toBe(0);
});
