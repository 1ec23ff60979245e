import { expect, test } from 'bun:test';
import { seenTokens } from '../../src/sane/embed-networks.ts';
import type { PreparedNetwork } from '../../src/sane/pretrained.ts';

const seen = (reference: boolean, pretraining: number | null, tokens: number, asked: number | null) =>
  seenTokens(
    { reference, window: pretraining },
    { network: { path: 'a.pt' }, layout: { tokens } } as PreparedNetwork,
    asked,
  );

test('a network is seen whole by the authors’ SANE up to 4,096 tokens, longer ones and by ours in windows of pretraining', () => {
  expect(seen(true, 64, 4096, null)).toBe(4096);
  expect(seen(true, 64, 4097, null)).toBe(64);
  expect(seen(false, 64, 100, null)).toBe(64);
  expect(seen(true, null, 9000, 32)).toBe(32);
  // Where neither weights nor params.json tell of a window.
  expect(() => seen(true, null, 4097, null)).toThrow(
    "a.pt: a network of 4097 tokens is seen in windows, and neither the SANE's weights nor its params.json say how long those of its pretraining were; give --window",
  );
});
