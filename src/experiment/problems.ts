/** What is wrong with an experiment, as data, and the one printer of it. */

/** A place in the file: line and column from 1, length of what is marked. */
export interface Place {
  line: number;
  column: number;
  length: number;
}

export interface Problem {
  code: string;
  /** Dotted path in the file, e.g. `zoo.epochs`; an argument's text; or empty for the whole file. */
  path: string;
  place?: Place | undefined;
  message: string;
  expected?: string | undefined;
  received?: string | undefined;
  /** What to write instead. */
  hint?: string | undefined;
}

/** Everything wrong with one experiment file, or with the arguments that change it. */
export class ExperimentError extends Error {
  constructor(
    readonly problems: readonly Problem[],
    readonly file: string,
    readonly text = '',
  ) {
    super(problems.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('\n'));
    this.name = 'ExperimentError';
  }
}

/** More mistakes than these are counted only. */
const shownProblems = 20;

/** Characters of a line that are shown, around what is wrong in it. */
const windowLength = 120;

/** The part of a line that is shown, and where it begins in it. A line that is cut has an ellipsis there. */
function windowOf(source: string, column: number): { shown: string; start: number } {
  if (source.length <= windowLength) return { shown: source, start: 0 };
  const start = Math.max(0, Math.min(column - 1 - windowLength / 2, source.length - windowLength));
  const shown = source.slice(start, start + windowLength);
  const end = start + windowLength < source.length ? '…' : '';
  return { shown: (start > 0 ? `…${shown.slice(1)}` : shown) + end, start };
}

const styles = { red: 31, bold: 1, dim: 2, cyan: 36 } as const;

/** Warnings, a line each: the place, what it is about, and what to write instead. */
export function formatWarnings(warnings: readonly Problem[], file: string): string[] {
  return warnings.map(({ place, path, message, hint }) => {
    const where = place ? `${file}:${place.line}:${place.column}` : file;
    return `${where} warning ${path}: ${message}${hint ? ` (${hint})` : ''}`;
  });
}

/** The problems in the order of the file, each with its line and a caret. */
export function formatProblems(error: ExperimentError, options: { color: boolean }): string {
  const paint = (style: keyof typeof styles, text: string) =>
    options.color ? `\x1b[${styles[style]}m${text}\x1b[0m` : text;
  const lines = error.text.split(/\r?\n/);
  const position = ({ place }: Problem) => (place ? place.line * 1e6 + place.column : 0);
  const blocks = [...error.problems]
    .sort((a, b) => position(a) - position(b))
    .slice(0, shownProblems)
    .map((problem) => {
      const { place, path, message, expected, received, hint } = problem;
      const where = place ? `${error.file}:${place.line}:${place.column}` : error.file;
      const subject = path ? `${path}: ` : '';
      const out = [`${paint('bold', where)} ${paint('red', 'error')} ${subject}${message}`];
      if (place) {
        const source = lines[place.line - 1] ?? '';
        const number = String(place.line);
        const { shown, start } = windowOf(source, place.column);
        const column = place.column - start;
        const length = Math.max(1, Math.min(place.length, shown.length - column + 1));
        out.push(`  ${paint('dim', `${number} |`)} ${shown}`);
        // Tabs of the line are kept, so that the caret stands below what it marks.
        const lead = shown.slice(0, column - 1).replace(/[^\t]/g, ' ');
        out.push(
          `  ${' '.repeat(number.length)} ${paint('dim', '|')} ${lead}${paint('red', '^'.repeat(length))}`,
        );
      }
      if (expected !== undefined) out.push(`  expected ${expected}`);
      if (received !== undefined) out.push(`  received ${received}`);
      if (hint !== undefined) out.push(`  ${paint('cyan', hint)}`);
      return out.join('\n');
    });
  const count = error.problems.length;
  const hidden = count > shownProblems ? ` (the first ${shownProblems} are shown)` : '';
  return `${blocks.join('\n\n')}\n\n${count} ${count === 1 ? 'mistake' : 'mistakes'}${hidden}, nothing was run.`;
}
