/** Every launcher. A new one is one folder and one line here. */
import type { Launcher } from './launcher.ts';

/** By name: what it is, and its code, which is loaded when it is used. */
export const launchers: Readonly<Record<string, { description: string; load(): Promise<Launcher> }>> = {
  local: {
    description: 'on this machine',
    load: async () => (await import('./local/launcher.ts')).local,
  },
  slurm: {
    description: 'by jobs of a Slurm cluster',
    load: async () => (await import('./slurm/launcher.ts')).slurm,
  },
};
