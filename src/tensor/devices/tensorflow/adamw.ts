import type { Rates } from '../../adam.ts';
import { tf } from '../../tf.ts';
import { execute, unpack } from './execute.ts';

type Moments = Record<'param' | 'grad' | 'm' | 'v', tf.Tensor>;

/** Numbers that are updated together, at most: as many take a GPU about as long as a call takes this process. */
const mostTogether = 2 ** 22;

/**
 * SaneAdamW (kernel.ts) by TensorFlow's operations. Parameters of one shape are stacked and updated together: a SANE of 8 + 8 layers
 * has 113 parameters of some twenty shapes.
 */
export function adamW(inputs: readonly tf.Tensor[], rates: Rates): tf.Tensor[] {
  const all = rates.decayed.map((_, i) => {
    const [param, grad, m, v] = inputs.slice(4 * i, 4 * i + 4) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    return { param, grad, m, v };
  });
  const outputs = new Array<tf.Tensor>(3 * all.length);
  const alike = Map.groupBy(all.keys(), (i) => `${all[i]?.param.shape} ${rates.decayed[i]}`);
  for (const group of alike.values()) {
    const first = all[group[0] as number] as Moments;
    const size = Math.max(1, Math.floor(mostTogether / Math.max(1, first.param.size)));
    for (let start = 0; start < group.length; start += size) {
      const members = group.slice(start, start + size);
      const stack = (name: keyof Moments) => pack(members.map((i) => (all[i] as Moments)[name]));
      const moments = { param: stack('param'), grad: stack('grad'), m: stack('m'), v: stack('v') };
      const decays = rates.decayed[members[0] as number] === 1;
      const next = update(moments, rates, decays, first.param.rank).map((tensor) =>
        members.length === 1 ? [tensor] : unpack(tensor),
      );
      for (const [k, i] of members.entries()) {
        for (const [j, parts] of next.entries()) outputs[3 * i + j] = parts[k] as tf.Tensor;
      }
    }
  }
  return outputs;
}

const pack = (tensors: tf.Tensor[]): tf.Tensor =>
  tensors.length === 1 ? (tensors[0] as tf.Tensor) : execute('Pack', tensors, { N: tensors.length, axis: 0 });

/**
 * The next param, m and v (adam.ts), of parameters of that rank. The corrections are taken into the rate and epsilon:
 * lr (m / c1) / (sqrt(v / c2) + eps) = (lr sqrt(c2) / c1) m / (sqrt(v) + eps sqrt(c2)).
 */
function update(
  { param, grad: given, m: oldM, v: oldV }: Moments,
  rates: Rates,
  decays: boolean,
  rank: number,
) {
  const { coupled, beta1, beta2, epsilon } = rates;
  const root2 = Math.sqrt(rates.correction2);
  const { learningRate, weightDecay } = rates;
  const decayOf = (m: number) => (decays ? (weightDecay[m % weightDecay.length] as number) : 0);
  const models = Math.max(learningRate.length, decays ? weightDecay.length : 1);
  /** A number, or one for each model along the first axis of a parameter. */
  const each = (value: (rate: number, decay: number) => number): tf.Tensor => {
    const values = Array.from({ length: models }, (_, m) =>
      value(learningRate[m % learningRate.length] as number, decayOf(m)),
    );
    if (models === 1) return tf.scalar(values[0] as number);
    return tf.tensor(values, [models, ...new Array<number>(rank - 1).fill(1)], 'float32');
  };
  const grad =
    coupled && decays
      ? add(
          given,
          mul(
            param,
            each((_, decay) => decay),
          ),
        )
      : given;
  const m = add(mul(oldM, tf.scalar(beta1)), mul(grad, tf.scalar(1 - beta1)));
  const v = add(mul(oldV, tf.scalar(beta2)), mul(execute('Square', [grad], {}), tf.scalar(1 - beta2)));
  const root = add(execute('Sqrt', [v], {}), tf.scalar(epsilon * root2));
  const move = mul(
    execute('RealDiv', [m, root], {}),
    each((rate) => (rate * root2) / rates.correction1),
  );
  const kept =
    coupled || !decays
      ? param
      : mul(
          param,
          each((rate, decay) => 1 - rate * decay),
        );
  return [execute('Sub', [kept, move], {}), m, v];
}

const add = (a: tf.Tensor, b: tf.Tensor) => execute('AddV2', [a, b], {});
const mul = (a: tf.Tensor, b: tf.Tensor) => execute('Mul', [a, b], {});
