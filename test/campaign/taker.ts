/**
 * Takes a lease many times: `taker.ts PATH ROUNDS`. Prints a line for each time, and one that starts with `two` if another process had it then.
 * Now and then it kills itself while it has it.
 */
import { closeSync, openSync, rmSync } from 'node:fs';
import { Lease } from '../../src/base/lease.ts';

const [path, rounds] = process.argv.slice(2) as [string, string];
const inside = `${path}.inside`;

for (let done = 0; done < Number(rounds); ) {
  const lease = Lease.take(path);
  if (!lease) {
    await Bun.sleep(Math.random() * 5);
    continue;
  }
  try {
    closeSync(openSync(inside, 'wx'));
  } catch (error) {
    console.log(`two holders at once: ${(error as Error).message}`);
    process.exit(1);
  }
  await Bun.sleep(Math.random() * 3);
  // Not before the next holder may come in.
  rmSync(inside);
  console.log(`${++done}`);
  if (Math.random() < 0.02) process.kill(process.pid, 'SIGKILL');
  lease.release();
  await Bun.sleep(Math.random() * 2);
}
