/** The zoos among a stage's inputs. */
import { openZoo, type Zoo } from '../zoo/zoo.ts';

export interface AlignedZoo {
  zoo: Zoo;
  /** Folder of its alignment; undefined where its models are as they were trained. */
  alignment: string | undefined;
}

/** All of them, in the order of the experiment's list: `zoo`, `zoo-2` and so on, each with its alignment. */
export async function openZoos(inputs: Readonly<Record<string, string>>): Promise<AlignedZoo[]> {
  const zoos: AlignedZoo[] = [];
  for (let suffix = ''; ; suffix = `-${zoos.length + 1}`) {
    const folder = inputs[`zoo${suffix}`];
    if (folder === undefined) return zoos;
    zoos.push({ zoo: await openZoo(folder), alignment: inputs[`alignment${suffix}`] });
  }
}
