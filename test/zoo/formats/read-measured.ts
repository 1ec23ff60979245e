/** Reads a checkpoint in a process of its own; prints what became of it, the processor's time in ms and the most memory in bytes. */
import { readNetwork } from '../../../src/zoo/formats/network.ts';

const before = process.resourceUsage().maxRSS;
const start = process.cpuUsage();
const outcome = await readNetwork(process.argv[2] as string).then(
  ({ shapes }) => [...shapes.keys()].join(),
  ({ message }: Error) => message,
);
// Of the processor, as other processes are none of the file's doing.
const { user, system } = process.cpuUsage(start);
const ms = (user + system) / 1000;
console.log(JSON.stringify({ outcome, ms, bytes: 1024 * (process.resourceUsage().maxRSS - before) }));
