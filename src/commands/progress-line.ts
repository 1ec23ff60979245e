/** Progress of one piece of work on a stream: a line that is written over on a terminal, else a line now and then. */
import type { Report } from '../base/progress.ts';
import { cut, formatBar, JobProgress } from '../runner/reporters/format.ts';

const barWidth = 20;
/** How often a line is written where none can be written over. */
const plainEveryMs = 10_000;

/** What hears of progress, and what ends the line. Without a stream nothing is told. */
export function progressLine(stream: NodeJS.WriteStream | undefined): { report: Report; end: () => void } {
  const onTerminal = stream?.isTTY && process.env.TERM !== 'dumb';
  let job: JobProgress | undefined;
  let toldAt = performance.now();
  const report: Report = (progress) => {
    if (!stream) return;
    const now = performance.now();
    job ??= new JobProgress('', now);
    job.update(progress, now);
    const facts = job.facts(now).join(', ');
    if (onTerminal) {
      stream.write(
        `\r\u001b[K${cut(`${formatBar(job.fraction, barWidth)} ${progress.unit}: ${facts}`, stream.columns ?? 80)}`,
      );
    } else if (now - toldAt >= plainEveryMs) {
      toldAt = now;
      stream.write(`${progress.unit}: ${facts}\n`);
    }
  };
  return { report, end: () => void (stream && onTerminal && job && stream.write('\r\u001b[K')) };
}
