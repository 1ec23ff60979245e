/** The seed of the tests' random numbers. */

/** Where `bun run fuzz` puts the seed of its round. */
export const seedVariable = 'EXP_TEST_SEED';

/**
 * The same in every `bun run check`; of each round of `bun run fuzz` another. A test that imports it is repeated by fuzz. No test's
 * name holds it.
 */
export const testSeed = Number(process.env[seedVariable] ?? 1);
if (!Number.isSafeInteger(testSeed))
  throw new Error(`${seedVariable}=${process.env[seedVariable]} is no whole number`);
