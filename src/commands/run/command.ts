import { launchers } from '../../runner/launchers/registry.ts';
import type { Command } from '../command.ts';
import { data, device, json, selection, tables } from '../options.ts';

export const run: Command = {
  name: 'run',
  summary: 'run an experiment and write its tables',
  description:
    "Runs what an experiment file describes and writes its tables, each number beside the paper's. Finished work is reused and interrupted work is resumed, so the same command can be given again at any time.",
  arguments: [{ name: 'file', values: 'file' }],
  options: {
    ...selection,
    'dry-run': {
      help: 'show which runs and stages would be computed and why, with --launcher slurm the scripts; compute nothing',
    },
    device: { ...device, help: `${device.help} (default: the file's)` },
    gpus: { value: '0,2', help: 'the GPUs to use, by their numbers in `exp doctor` (default: all)' },
    jobs: {
      value: 'n',
      help: 'jobs to run at once (default: one per GPU, or else one per core; of Slurm, of each array, launcher.at_once)',
    },
    ...tables,
    data,
    launcher: {
      value: 'name',
      help: 'where to compute: local (default), on this machine; slurm, by jobs of a cluster, with what `launcher` in the file asks for',
      values: () => Object.keys(launchers),
    },
    detach: { help: 'leave when the jobs are in the queue; the same command returns to them' },
    'fail-fast': { help: 'stop everything at the first failure' },
    'retry-failed': { help: 'compute stages again that failed before' },
    json,
  },
  examples: [
    { line: 'exp experiments/quickstart.yaml', does: 'run it; `run` may be left out' },
    { line: 'exp run my.yaml --dry-run', does: 'show what would be computed' },
    { line: 'exp my.yaml --launcher slurm --detach', does: 'submit it to Slurm' },
    { line: 'exp run my.yaml --only seed=0 --set sane.epochs=5', does: 'part of it, changed' },
  ],
  exitCodes: {
    0: 'all runs are done',
    1: 'some runs failed; the tables are written, with the reasons; with --detach, the queue did not take all jobs',
    2: 'the file or the arguments are wrong; nothing was run',
    130: 'interrupted; what was finished is kept',
  },
  load: async () => (await import('./run.ts')).runCommand,
};
