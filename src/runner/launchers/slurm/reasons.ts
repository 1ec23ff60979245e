/** What Slurm's words mean to somebody who waits for results. */

/** Why sbatch refused. */
export interface Refusal {
  message: string;
  hint: string | undefined;
  /** Whether the same may be accepted later. */
  temporary: boolean;
}

const refusals: { matches: RegExp; hint?: string; temporary?: true }[] = [
  {
    matches:
      /dependency problem|temporarily un|try again|unable to contact|communication|timed out|MaxJobCount/i,
    temporary: true,
  },
  // The text that follows such a word names every kind of limit.
  { matches: /\b(QOS|Assoc)\w*Submit/, temporary: true },
  {
    matches: /\b(QOS|Assoc)\w+/,
    hint: 'your account or quality of service allows less: lower launcher.time, memory, cpus or gpus',
  },
  { matches: /submit limit/i, temporary: true },
  { matches: /invalid partition/i, hint: 'launcher.partition names it; sinfo lists the partitions' },
  { matches: /invalid account|account\/partition/i, hint: 'launcher.account names it' },
  { matches: /time limit/i, hint: 'launcher.time is more than the partition allows; sinfo shows its limit' },
  { matches: /memory specification/i, hint: 'launcher.memory is more than any node has' },
  { matches: /generic resource|gres/i, hint: 'launcher.gpus asks for GPUs that no node has' },
  {
    matches: /node configuration is not available|CPU count/i,
    hint: 'no node has what launcher.cpus, memory and gpus ask for',
  },
];

/** Explains what sbatch printed. */
export function explainRefusal(printed: string): Refusal {
  const message = printed
    .split('\n')
    .map((line) => line.replace(/^sbatch: (error: )?(Batch job submission failed: )?/, ''))
    .join('; ');
  const known = refusals.find(({ matches }) => matches.test(printed));
  return { message, hint: known?.hint, temporary: known?.temporary ?? false };
}

const waiting: Record<string, string> = {
  Resources: 'waits for free nodes',
  Priority: 'waits for jobs of higher priority',
  BeginTime: 'was requeued and starts again in about two minutes',
  JobArrayTaskLimit: 'waits for others of its array, as launcher.at_once says',
};

const never: Record<string, string> = {
  PartitionTimeLimit: 'the partition’s time limit is shorter: lower launcher.time',
  PartitionNodeLimit: 'the partition has too few nodes: name another one by launcher.partition',
  PartitionConfig: 'no node of the partition has what launcher.cpus, memory and gpus ask for',
  PartitionDown: 'the partition is down: wait, or name another one by launcher.partition',
  PartitionInactive: 'the partition is inactive: wait, or name another one by launcher.partition',
  BadConstraints: 'no node has what it asks for: lower launcher.cpus, memory or gpus',
  ReqNodeNotAvail: 'the nodes are down or reserved: sinfo shows them',
  JobHeldUser: 'it is held: scontrol release ID',
  JobHeldAdmin: 'an administrator holds it: ask them',
  InvalidAccount: 'launcher.account may not use this partition',
  InvalidQOS: 'your quality of service may not use this partition',
  DependencyNeverSatisfied: 'a job that it waits for is gone: exp cancel, then the same command again',
};

/** What a job in the queue waits for. */
export interface Waiting {
  text: string;
  /** Whether somebody has to do something, or it waits for ever. */
  stuck: boolean;
}

/** Explains Slurm's reason why a job does not run; undefined where there is nothing to say. */
export function explainWaiting(id: string, reason: string): Waiting | undefined {
  if (/launch failed/i.test(reason)) {
    const text = `cannot start: a node failed to launch it and it is held; sinfo shows the nodes, then scontrol release ${id}`;
    return { text, stuck: true };
  }
  // e.g. `ReqNodeNotAvail, UnavailableNodes:n1`.
  const word = reason.split(',')[0] as string;
  const remedy = never[word];
  if (remedy) return { text: `cannot start (${reason}): ${remedy.replace('ID', id)}`, stuck: true };
  const limit = /^(QOS|Assoc)/.test(word) ? 'waits, a limit of your account is reached' : waiting[word];
  return limit ? { text: `${limit} (${reason})`, stuck: false } : undefined;
}
