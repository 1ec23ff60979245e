/** The program with the stages of test/runner/webgpu-stages.ts in the place of the real ones. */
import { main } from '../../src/commands/main.ts';

const stagesModule = new URL('../runner/webgpu-stages.ts', import.meta.url).href;

process.exitCode = await main(process.argv.slice(2), stagesModule);
