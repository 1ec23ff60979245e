#!/usr/bin/env bun
/**
 * The program `exp`. Says by name and version which Bun it needs before anything is imported that an older one, or Node, cannot load; what
 * it needs is in package.json.
 */
import { readFileSync } from 'node:fs';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const needed = engines.bun.replace('>=', '');
const found = process.versions.bun;

if (found && found.localeCompare(needed, 'en', { numeric: true }) >= 0) {
  const { main } = await import('./commands/main.ts');
  const stages = new URL('./stages/registry.ts', import.meta.url).href;
  process.exitCode = await main(process.argv.slice(2), stages);
} else {
  const [here, remedy] = found
    ? [`Bun ${found}`, 'run bun upgrade']
    : [`Node.js ${process.versions.node}`, 'install it from https://bun.sh'];
  process.stderr.write(
    `sane-experiments needs Bun ${needed} or newer, this is ${here}: ${remedy}, or put npx --yes bun@${needed} instead of bun\n`,
  );
  process.exitCode = 2;
}
