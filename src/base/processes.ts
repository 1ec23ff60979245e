/** Processes by names that mean one process only, on whatever machine and after a number was given to another. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process as long as it lives. */
export interface ProcessIdentity {
  /** Where the number means this process: a boot of a machine, and its namespace of processes. Null where that is not known; earlier versions wrote none. */
  machine?: string | null;
  pid: number;
  /** When it started, by that machine's count. */
  start?: string | undefined;
}

/** What a command prints; undefined if it fails. */
function printed(...command: string[]): string | undefined {
  const { success, stdout } = Bun.spawnSync(command, { stderr: 'ignore' });
  return success ? stdout.toString().trim() : undefined;
}

const namespace = (kind: 'pid' | 'time') => readlinkSync(`/proc/self/ns/${kind}`);

/** What a file or link of Linux says; nothing where there is none. */
function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

function readMachine(): string | null {
  if (process.platform === 'darwin')
    return [printed('sysctl', '-n', 'kern.bootsessionuuid'), hostname()].join(' ');
  if (process.platform !== 'linux')
    throw new Error(`experiments run on Linux and macOS (on Windows, in WSL), not on ${process.platform}`);
  try {
    // /proc of another namespace has other numbers.
    if (Number.parseInt(readFileSync('/proc/self/stat', 'utf8'), 10) !== process.pid) return null;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    // Starts are counted by the clock of a time namespace.
    return [boot, hostname(), namespace('pid'), namespace('time')].join(' ');
  } catch {
    return null;
  }
}

let machine: { id: string | null } | undefined;

/** This machine, as long as it is not started again, as its processes see it; null if that is not known. Not to be published: it has the host's name. */
export function thisMachine(): string | null {
  machine ??= { id: readMachine() };
  return machine.id;
}

/** When a process of this machine started; null if it has ended, undefined if the system does not say. */
function startOf(pid: number): string | null | undefined {
  if (process.platform === 'darwin') {
    const [state, ...start] = printed('ps', '-o', 'state=,lstart=', '-p', String(pid))?.split(/\s+/) ?? [];
    return state === undefined ? undefined : state.startsWith('Z') ? null : start.join(' ');
  }
  try {
    // Behind the command's name, which may have blanks and parentheses: the state, and as the 20th the start.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return 'ZX'.includes(fields[0] as string) ? null : fields[19];
  } catch {
    return undefined;
  }
}

export function thisProcess(): ProcessIdentity {
  const machine = thisMachine();
  // Without a machine, the system's account of processes is of others with these numbers.
  return {
    machine,
    pid: process.pid,
    start: (machine === null ? undefined : startOf(process.pid)) ?? undefined,
  };
}

/** Whether a process lives; undefined if that cannot be known here, as of one on another machine. */
export function isAlive({ machine, pid, start }: ProcessIdentity): boolean | undefined {
  if (machine === undefined || machine === null || machine !== thisMachine()) return undefined;
  if (!exists(pid)) return false;
  if (start === undefined) return true;
  const actual = startOf(pid);
  return actual === undefined ? undefined : actual === start;
}

/** Whether this machine has a process of that number. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another user's may not be asked.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** In names of files: the machine, as a hash that stays when it is started again, and the process's number. */
export const processTag = (): string => `${machineTag()}-${process.pid}`;

/** Of names of files, the tag of the process that made them. */
export const processTagPattern = '([0-9a-f]{8}-\\d+)';

/** Whether the process of that tag was one of this machine, and is no more. */
export function isGone(tag: string): boolean {
  const [machine, pid] = tag.split('-');
  return machine === machineTag() && (!exists(Number(pid)) || startOf(Number(pid)) === null);
}

let tag: string | undefined;

function machineTag(): string {
  // Machines may have one name, and their first namespaces of processes one number.
  const name = () => [
    hostname(),
    orNothing(() => readFileSync('/etc/machine-id', 'utf8')),
    orNothing(() => namespace('pid')),
  ];
  tag ??= new Bun.CryptoHasher('sha256').update(name().join(' ')).digest('hex').slice(0, 8);
  return tag;
}
