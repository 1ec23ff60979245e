/** Progress of one task on a stream: on a terminal a line that is redrawn, else a new line every few seconds. */
import type { Report } from '../base/progress.ts';
import { cut, formatBar, JobProgress } from '../runner/reporters/format.ts';

const barWidth = 20;
/** How often a line is written where none can be redrawn. */
const plainEveryMs = 10_000;

/** `report` receives progress, `end` removes the line. Without a stream nothing is written. */
export function progressLine(stream: NodeJS.WriteStream | undefined): { report: Report; end: () => void } {
  const onTerminal = stream?.isTTY && process.env.TERM !== 'dumb';
  let job: JobProgress | undefined;
  let writtenAt = performance.now();
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
    } else if (now - writtenAt >= plainEveryMs) {
      writtenAt = now;
      stream.write(`${progress.unit}: ${facts}\n`);
    }
  };
  return { report, end: () => void (stream && onTerminal && job && stream.write('\r\u001b[K')) };
}
