/** A Slurm of one node on this machine, from the packages slurmctld, slurmd, slurm-client and munge, with nothing shared with another one. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../runner/fixture.ts';

const programs = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scancel', 'scontrol'];

/** Why there can be none here; undefined where there can. */
export function whyNoSlurm(): string | undefined {
  const path = `${process.env.PATH}:/usr/sbin:/sbin`;
  const missing = programs.filter((name) => !Bun.which(name, { PATH: path }));
  if (missing.length > 0)
    return `${missing.join(', ')} not installed: apt-get install slurmctld slurmd slurm-client munge`;
  return process.getuid?.() === 0 ? undefined : 'slurmd runs jobs as root only';
}

const manyJobs = 10_000;

/** So long a node refuses a job of the number of one that was killed. */
const killedMs = 2000;

export class Cluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'slurm-'));
  private readonly requeuedAt = new Map<string, number>();
  /** For commands that are to use it. */
  readonly env: Record<string, string> = {
    SLURM_CONF: join(this.folder, 'slurm.conf'),
    PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
  };

  /** Starts it, and returns when its node takes jobs. */
  static async start(): Promise<Cluster> {
    const cluster = new Cluster();
    cluster.configure();
    cluster.startController();
    cluster.startNode();
    await until(() => cluster.run('sinfo', '-h', '-o', '%T').trim() === 'idle', 'the node of Slurm is idle');
    return cluster;
  }

  private configure(): void {
    const { folder } = this;
    for (const name of ['state', 'spool', 'munge']) mkdirSync(join(folder, name));
    chmodSync(join(folder, 'munge'), 0o711);
    const key = join(folder, 'munge', 'key');
    writeFileSync(key, crypto.getRandomValues(new Uint8Array(1024)), { mode: 0o600 });
    const socket = join(folder, 'munge', 'socket');
    const files = { socket, 'key-file': key, 'pid-file': join(folder, 'munged.pid') };
    const own = {
      ...files,
      'log-file': join(folder, 'munge', 'log'),
      'seed-file': join(folder, 'munge', 'seed'),
    };
    // It objects to folders that others may write, such as /tmp.
    this.run('munged', '--force', ...Object.entries(own).map(([name, path]) => `--${name}=${path}`));
    const host = hostname().split('.')[0];
    const [controller, node] = [freePort(), freePort()];
    const settings = {
      ...{
        ClusterName: 'test',
        SlurmctldHost: `${host}(127.0.0.1)`,
        SlurmctldPort: controller,
        SlurmdPort: node,
      },
      ...{ AuthType: 'auth/munge', AuthInfo: `socket=${socket}`, SlurmUser: 'root', SlurmdUser: 'root' },
      ...{ StateSaveLocation: join(folder, 'state'), SlurmdSpoolDir: join(folder, 'spool') },
      ...{ SlurmctldLogFile: join(folder, 'slurmctld.log'), SlurmdLogFile: join(folder, 'slurmd.log') },
      ...{ SlurmctldPidFile: join(folder, 'slurmctld.pid'), SlurmdPidFile: join(folder, 'slurmd.pid') },
      ...{ ProctrackType: 'proctrack/linuxproc', TaskPlugin: 'task/none', MpiDefault: 'none' },
      ...{ SelectType: 'select/cons_tres', SelectTypeParameters: 'CR_Core', ReturnToService: 2, KillWait: 3 },
      ...{ PreemptType: 'preempt/partition_prio', PreemptMode: 'REQUEUE' },
      MessageTimeout: 2,
      MaxJobCount: manyJobs,
      AccountingStorageType: 'accounting_storage/none',
      SchedulerParameters: 'sched_min_interval=10000,sched_interval=1,bf_interval=1',
      NodeName: `${host} NodeAddr=127.0.0.1 CPUs=${cpus().length} State=UNKNOWN`,
    };
    const partitions = [
      'PartitionName=low Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1',
      'PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10',
    ];
    const lines = [...Object.entries(settings).map(([name, value]) => `${name}=${value}`), ...partitions];
    writeFileSync(this.env.SLURM_CONF as string, `${lines.join('\n')}\n`);
  }

  /** Runs a command of Slurm's to its end and returns what it printed; of one that fails, what it says. */
  run(...command: string[]): string {
    const { stdout, stderr } = Bun.spawnSync(command, { env: { ...process.env, ...this.env } });
    return `${stdout}${stderr}`;
  }

  /** Slurm starts a job that was requeued only after two minutes: has it start as soon as its node would not take it for the one that was killed. */
  hurry(): void {
    for (const line of this.run('squeue', '-h', '-r', '-t', 'PD', '-o', '%i %r').split('\n')) {
      const [job = '', reason] = line.split(' ');
      if (reason !== 'BeginTime') continue;
      const since = this.requeuedAt.get(job) ?? Date.now();
      this.requeuedAt.set(job, since);
      if (Date.now() - since >= killedMs) this.run('scontrol', 'update', `JobId=${job}`, 'StartTime=now');
    }
  }

  /** Ids of the jobs in these states, e.g. `PD,R`; none while the controller does not answer. */
  jobs(states: string): string[] {
    const lines = this.run('squeue', '-h', '-r', '-t', states, '-o', '%i').split('\n');
    return lines.filter((line) => /^\d+_\d+$/.test(line));
  }

  /** Lets its queue take so many jobs, ended ones of the last minutes among them. */
  async limitJobs(count = manyJobs): Promise<void> {
    const path = this.env.SLURM_CONF as string;
    const settings = readFileSync(path, 'utf8');
    await this.kill('slurmctld', 'SIGTERM');
    writeFileSync(path, settings.replace(/^MaxJobCount=.*$/m, `MaxJobCount=${count}`));
    // Partitions stay as they were set, too.
    this.run('slurmctld', '-R');
    await until(() => this.run('sinfo', '-h', '-o', '%T').trim() === 'idle', 'the node of Slurm is idle');
  }

  startController(): void {
    this.run('slurmctld');
  }

  startNode(): void {
    this.run('slurmd');
  }

  /** Returns when the daemon is dead: before, its port is taken. */
  async kill(daemon: 'slurmctld' | 'slurmd' | 'munged', signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const file = join(this.folder, `${daemon}.pid`);
    if (!existsSync(file)) return;
    const pid = Number(readFileSync(file, 'utf8'));
    if (isAlive(pid)) process.kill(pid, signal);
    await until(() => !isAlive(pid), `${daemon} is dead`);
    rmSync(file, { force: true });
  }

  /** Cancels all jobs and stops the daemons. */
  async stop(): Promise<void> {
    this.run('scancel', '--user=0');
    await until(() => this.run('squeue', '-h') === '', 'no job is left');
    for (const daemon of ['slurmd', 'slurmctld', 'munged'] as const) await this.kill(daemon);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A dead one stays as a zombie where nobody waits for it. */
function isAlive(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) Z /.test(readFileSync(stat, 'utf8'));
}

/** A port that nobody listens to now. */
function freePort(): number {
  const server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}
