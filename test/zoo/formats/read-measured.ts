/** Reads a checkpoint in a process of its own; prints what became of it, the time in ms and the most memory in bytes. */
import { readNetwork } from '../../../src/zoo/formats/network.ts';

const before = process.resourceUsage().maxRSS;
const start = performance.now();
const outcome = await readNetwork(process.argv[2] as string).then(
  ({ shapes }) => [...shapes.keys()].join(),
  ({ message }: Error) => message,
);
const ms = performance.now() - start;
console.log(JSON.stringify({ outcome, ms, bytes: 1024 * (process.resourceUsage().maxRSS - before) }));
