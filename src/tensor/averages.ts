import type { OptimizerState, Parameter } from './optimizers.ts';
import { tf } from './tf.ts';

/** Running averages of an optimiser: one tensor for each parameter and name, zero at first. */
export class Averages {
  private readonly tensors = new Map<string, tf.Tensor>();
  private readonly parameters: readonly Parameter[];
  private readonly names: readonly string[];

  constructor(parameters: readonly Parameter[], names: readonly string[]) {
    this.parameters = parameters;
    this.names = names;
    this.each((key, { variable }) => this.set(key, tf.zerosLike(variable)));
  }

  get(parameter: Parameter, name: string): tf.Tensor {
    return this.tensors.get(keyOf(parameter, name)) as tf.Tensor;
  }

  /** Puts `next` in the place of the average, whose tensor is disposed of. */
  replace(parameter: Parameter, name: string, next: tf.Tensor): void {
    this.set(keyOf(parameter, name), next);
  }

  async read(): Promise<OptimizerState['averages']> {
    const entries = [...this.tensors].map(
      async ([key, tensor]) => [key, await tensor.data<'float32'>()] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  }

  restore(averages: OptimizerState['averages']): void {
    const expected = [...this.tensors.keys()].sort();
    const given = Object.keys(averages).sort();
    this.each((key, { variable }) => {
      const length = averages[key]?.length;
      if (given.length === expected.length && length === variable.size) return;
      throw new Error(
        `The optimiser's state is of other parameters: ${key} has ${length ?? 'no'} numbers there and ${variable.size} here ` +
          `(${given.length} averages there, ${expected.length} here). Delete the checkpoint to begin anew.`,
      );
    });
    this.each((key, { variable }) => this.set(key, tf.tensor(averages[key] as Float32Array, variable.shape)));
  }

  dispose(): void {
    for (const tensor of this.tensors.values()) tensor.dispose();
    this.tensors.clear();
  }

  private set(key: string, tensor: tf.Tensor): void {
    this.tensors.get(key)?.dispose();
    this.tensors.set(key, tf.keep(tensor));
  }

  private each(visit: (key: string, parameter: Parameter) => void): void {
    for (const parameter of this.parameters) {
      for (const name of this.names) visit(keyOf(parameter, name), parameter);
    }
  }
}

function keyOf(parameter: Parameter, name: string): string {
  return `${parameter.name}.${name}`;
}
