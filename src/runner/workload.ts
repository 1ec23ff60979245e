/** How much work a stage is, so that the time of one can be estimated from the time of others. */
import type { StageNode } from '../experiment/types.ts';
import { stages } from '../stages/registry.ts';

export interface Workload {
  /** Stages of one kind take time in proportion to their amount. */
  kind: string;
  amount: number;
}

/** The workload of a stage; `find` gives the stages that it reads by their keys. Throws if no stage has that name. */
export function workload(
  { stage: name, config, inputs }: StageNode,
  find: (key: string) => StageNode,
): Workload {
  const stage = stages[name];
  if (!stage) throw new Error(`there is no stage ${name}`);
  const { settings, amount } = stage.work(config, (input) =>
    inputs[input] ? find(inputs[input]).config : {},
  );
  return { kind: `${name} ${JSON.stringify(settings)}`, amount };
}
