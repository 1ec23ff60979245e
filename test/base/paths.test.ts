import { expect, test } from 'bun:test';
import { expandPath } from '../../src/base/paths.ts';

const home = { HOME: '/home/ada', ZOOS: '/data/$zoos', EMPTY: '' };

test.each([
  ['~', '/home/ada'],
  ['~/zoo', '/home/ada/zoo'],
  ['a~/b', 'a~/b'],
  ['~ada/b', '~ada/b'],
  [`\${ZOOS}/a`, '/data/$zoos/a'],
  [`\${ZOOS}\${EMPTY}/\${ZOOS}`, '/data/$zoos//data/$zoos'],
  ['$ZOOS/a', '$ZOOS/a'],
])('%s is %s', (path, expanded) => {
  expect(expandPath(path, home)).toBe(expanded);
});

test('a variable that is not set is an error', () => {
  expect(() => expandPath(`~/\${EMPTY}/\${NONE}`, home)).toThrow(
    `~/\${EMPTY}/\${NONE}: the environment has no variable NONE`,
  );
});
