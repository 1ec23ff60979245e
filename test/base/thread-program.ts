/** The program of a thread that does what it is told, for thread.test.ts. */
import { serve } from '../../src/base/thread.ts';

serve(
  (setup: string) => {
    if (setup === 'none') throw new TypeError('there is no setup');
    return (order: string): Uint8Array => {
      if (order === 'exit') process.exit(3);
      if (order === 'fail') throw Object.assign(new Error('cannot read it'), { syscall: 'read' });
      return new TextEncoder().encode(`${setup} ${order}`);
    };
  },
  ({ buffer }) => [buffer as ArrayBuffer],
);
