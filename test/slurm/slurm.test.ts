/** A real Slurm computes a small experiment while its daemons are killed; skipped, with the reason, where there can be none. */
import { expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digest } from '../campaign/ground.ts';
import { ended, inProcess, realProgram, spawn } from '../cli/program.ts';
import { until } from '../runner/fixture.ts';
import { Cluster, whyNoSlurm } from './cluster.ts';

const reason = whyNoSlurm();
if (reason) console.log(`tests on Slurm are skipped: ${reason}`);

/** Two parts of a zoo, then all else in one job. */
const experiment = `name: small-sister
grid: {architecture: [cnn-small], dataset: [glyphs], task: [property-prediction], seed: [0, 1]}
data: {train_images: 50, test_images: 50}
zoo: {models: 34, epochs: 1, checkpoints: [0, 1], init: kaiming-uniform, learning_rate: 0.01, split: [0.5, 0.25, 0.25]}
sane: {d_model: 16, latent_dim: 8, layers: 1, heads: 2, window: 48, batch_size: 8, epochs: 1}
property_prediction: {checkpoints: null}
tables: [1]
launcher: {cpus: 1}
`;

/** Runs the program and looks at what it prints meanwhile. */
function watch(args: string[], env: Record<string, string>) {
  const run = spawn(realProgram, args, env);
  let err = '';
  const write = (bytes: Uint8Array) => {
    err += new TextDecoder().decode(bytes);
  };
  void run.stderr.pipeTo(new WritableStream({ write }));
  const says = (text: string | RegExp) => until(() => err.search(text) >= 0, `the run says ${text}`);
  return { run, says, printed: () => err };
}

test.skipIf(reason !== undefined)(
  'jobs give the bytes of a local run, though the controller and the node are killed and a job is requeued',
  async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'exp-slurm-')));
    const file = join(root, 'small.yaml');
    writeFileSync(file, experiment);
    const place = (name: string) => ({ store: join(root, name, 'store'), out: join(root, name, 'out') });
    const options = ({ store, out }: ReturnType<typeof place>) => ['--store', store, '--out', out];
    const [here, there] = [place('local'), place('slurm')];
    const local = ended(spawn(realProgram, [file, ...options(here)]));
    const cluster = await Cluster.start();
    const hurrying = setInterval(() => cluster.hurry(), 500);
    const before = { ...process.env };
    let run: ReturnType<typeof spawn> | undefined;
    Object.assign(process.env, cluster.env);
    try {
      const onSlurm = [file, '--launcher', 'slurm', ...options(there)];
      const partition = (state: string) =>
        cluster.run('scontrol', 'update', 'PartitionName=low', `State=${state}`);

      const wrong = experiment.replace('{cpus: 1}', '{partition: nope}').replace('small-sister', 'wrong');
      writeFileSync(join(root, 'wrong.yaml'), wrong);
      const refused = await inProcess(join(root, 'wrong.yaml'), '--launcher', 'slurm', ...options(there));
      expect(refused.code).toBe(2);
      expect(refused.err).toMatch(
        /exp: sbatch refuses .*00\.sh: .*Invalid partition name specified\n {2}launcher/,
      );

      writeFileSync(join(root, 'wrong.yaml'), wrong.replace('{partition: nope}', '{cpus: 999}'));
      const large = await inProcess(join(root, 'wrong.yaml'), '--launcher', 'slurm', ...options(there));
      expect(large.code).toBe(2);
      expect(large.err).toMatch(
        /exp: launcher\.cpus is 999 for the stage \w+, and the largest node of the default partition has \d+\n {2}lower it/,
      );

      const detach = () => ended(spawn(realProgram, [...onSlurm, '--detach'], cluster.env));
      partition('DOWN');
      await cluster.limitJobs(2);
      const full = await detach();
      expect(full.err).toMatch(/Slurm takes no more jobs now \(.*\): 8 stages waiting to be submitted/);
      expect(full.err).toMatch(/exp: 8 stages not in the queue yet; the same command again submits them/);
      expect(full.code).toBe(1);
      await cluster.limitJobs();
      const left = await detach();
      expect(left.code).toBe(0);
      expect(left.err).toContain('4 jobs left in the queue. The same command returns to them;');
      const listed = await inProcess('ls', file, '--store', there.store);
      expect(listed.out.match(/ queued /g)).toHaveLength(2);
      const watching = watch(onSlurm, cluster.env);
      await watching.says('4 jobs of an earlier command in the queue\n0 jobs submitted to Slurm');
      const cancelled = await inProcess('cancel', file, '--store', there.store);
      expect({ ...cancelled, out: '' }).toEqual({ code: 0, out: '', err: '' });
      expect(cancelled.out).toMatch(
        /^4 jobs cancelled\nwrong also has what they were to compute; if it waits for that: exp \S+wrong.yaml --launcher slurm\n$/,
      );
      await watching.says('exp cancel cancelled the jobs');
      expect(await watching.run.exited).toBe(130);
      await until(() => cluster.run('squeue', '-h') === '', 'the jobs are gone');
      const gc = (...more: string[]) => inProcess('gc', '--store', there.store, '--yes', ...more);
      expect((await gc()).out).toContain('everything is needed');
      expect((await gc('--forget', 'small-sister', '--forget', 'wrong')).out).toMatch(/slurm\/1 +ended jobs/);
      expect(readdirSync(join(there.store, 'slurm')).filter((name) => /^\d+$/.test(name))).toEqual([]);

      const { says, printed, ...started } = watch(onSlurm, cluster.env);
      run = started.run;
      await says('PartitionDown');
      partition('UP');
      let job = '';
      const runs = () => {
        job =
          / 01 (\d+_[01])$/m.exec(
            cluster.run('squeue', '-h', '-r', '-t', 'R', '-o', '%j %i').replaceAll('.', ' '),
          )?.[1] ?? '';
        return job !== '';
      };
      await until(runs, 'a part of the zoo is trained');
      expect(cluster.run('scontrol', 'requeue', job)).toBe('');
      await says('its job started again, on ');
      // By SIGKILL it forgets the last five seconds, and takes minutes to see that jobs that it believes to run have ended.
      await cluster.kill('slurmctld', 'SIGTERM');
      cluster.startController();
      await says(/sane .*: started/);
      await cluster.kill('slurmd');
      cluster.startNode();
      const [code, out] = await Promise.all([run.exited, run.stdout.text()]);
      expect({ code, err: code === 0 ? '' : printed() }).toEqual({ code: 0, err: '' });
      expect(printed()).toContain('4 jobs submitted to Slurm');
      expect(await local).toMatchObject({ code: 0, out });
      const bytes = digest(there);
      expect(bytes.size).toBeGreaterThan(50);
      expect(bytes).toEqual(digest(here) as Map<string, string>);
      // Scripts are removed at the end, or by gc where Slurm takes a while to see that their jobs have ended.
      await until(() => cluster.run('squeue', '-h') === '', 'no job is left');
      await gc();
      expect(readdirSync(join(there.store, 'slurm')).filter((name) => /^\d+$/.test(name))).toEqual([]);
    } finally {
      for (const name of Object.keys(cluster.env)) process.env[name] = before[name] ?? '';
      clearInterval(hurrying);
      run?.kill('SIGKILL');
      await cluster.stop();
      rmSync(root, { recursive: true, force: true });
    }
  },
);
