#!/usr/bin/env bun
import { main } from './commands/main.ts';

process.exitCode = await main(process.argv.slice(2), new URL('./stages/registry.ts', import.meta.url).href);
