/** The program with the stages of test/runner/stages.ts in the place of the real ones. */
import { main } from '../../src/commands/main.ts';
import { stagesModule } from '../runner/fixture.ts';

process.exitCode = await main(process.argv.slice(2), stagesModule);
