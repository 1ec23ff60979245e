/** The Python of the other side. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { BenchError } from './row.ts';

/** What an environment made here holds. */
const versions = { torch: '2.15.0', numpy: '2.4.6' };
const packages = Object.entries(versions).map(([name, version]) => `${name}==${version}`);

/** Where it was found, and what is in it. */
export interface Python {
  path: string;
  versions: { python: string; torch: string; numpy: string };
}

/**
 * The Python at `path` (from --python, or PYTHON of the environment), or else that of an environment in the user's cache, which
 * is made now if it is not there. Throws a BenchError if it lacks PyTorch or NumPy, or cannot be made.
 */
export async function findPython(path: string | undefined, note: (line: string) => void): Promise<Python> {
  const python = path ?? (await ownEnvironment(note));
  const script = `import json, platform, numpy, torch
print(json.dumps({"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__}))`;
  const { code, stdout, stderr } = await run([python, '-c', script]);
  if (code !== 0) {
    const reason = stderr.trim().split('\n').at(-1);
    throw new BenchError(
      `${python} cannot be the other side: ${reason}. It needs the packages ${packages.join(' ')}, or leave out --python and PYTHON.`,
    );
  }
  return { path: python, versions: JSON.parse(stdout) as Python['versions'] };
}

async function ownEnvironment(note: (line: string) => void): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const folder = join(cache, 'sane-experiments', `pytorch-${versions.torch}`);
  const python = join(folder, 'bin', 'python');
  const finished = join(folder, 'installed');
  if (existsSync(finished)) return python;
  if (!Bun.which('python3', { PATH: process.env.PATH ?? '' })) {
    throw new BenchError(
      'no Python for the other side: python3 is not on PATH. Install it, or name a Python that has PyTorch with --python or PYTHON.',
    );
  }
  note(`installing ${packages.join(' ')} in ${folder}, once; some gigabytes on Linux`);
  const commands = [
    ['python3', '-m', 'venv', '--clear', folder],
    [python, '-m', 'pip', 'install', '--quiet', ...packages],
  ];
  for (const command of commands) {
    const { code, stderr } = await run(command);
    if (code === 0) continue;
    throw new BenchError(
      `no Python for the other side: ${command.join(' ')} failed.\n${stderr.trim()}\nName a Python that has PyTorch with --python or PYTHON.`,
    );
  }
  await Bun.write(finished, '');
  return python;
}

async function run(command: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    return { code: await child.exited, stdout, stderr };
  } catch (error) {
    return { code: 127, stdout: '', stderr: (error as Error).message };
  }
}
