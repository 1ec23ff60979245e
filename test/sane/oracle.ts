/** The autoencoder in plain float64 code, by its definition. */
export type Vector = number[];

export const matrixOf = (values: Float32Array, columns: number): Vector[] =>
  Array.from({ length: values.length / columns }, (_, i) => [
    ...values.subarray(i * columns, (i + 1) * columns),
  ]);

/** erf by its series, exact in float64 for the arguments here. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** A transformer block in float64 on x [T][d], by its definition. Weights by name are [out][in]. */
export function oracleBlock(x: Vector[], heads: number, w: (name: string) => Vector[]): Vector[] {
  const apply = (rows: Vector[], m: Vector[]) =>
    rows.map((row) => m.map((out) => out.reduce((sum, v, i) => sum + v * row[i]!, 0)));
  const norm = (rows: Vector[], gain: Vector) =>
    rows.map((row) => {
      const mean = row.reduce((a, b) => a + b, 0) / row.length;
      const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / row.length;
      return row.map((v, i) => ((v - mean) / Math.sqrt(variance + 1e-5)) * gain[i]!);
    });
  const d = x[0]!.length;
  const size = d / heads;
  const qkv = apply(norm(x, w('ln_1.weight')[0]!), w('attn.c_attn.weight'));
  const attended = x.map(() => new Array<number>(d).fill(0));
  for (let h = 0; h < heads; h++) {
    const part = (row: Vector, which: number) => row.slice(which * d + h * size, which * d + (h + 1) * size);
    for (const [t, row] of qkv.entries()) {
      const scores = qkv.map(
        (other) => part(row, 0).reduce((sum, q, i) => sum + q * part(other, 1)[i]!, 0) / Math.sqrt(size),
      );
      const top = Math.max(...scores);
      const weights = scores.map((s) => Math.exp(s - top));
      const total = weights.reduce((a, b) => a + b, 0);
      for (const [u, weight] of weights.entries())
        for (let i = 0; i < size; i++) attended[t]![h * size + i]! += (weight / total) * part(qkv[u]!, 2)[i]!;
    }
  }
  const plus = (a: Vector[], b: Vector[]) => a.map((row, t) => row.map((v, i) => v + b[t]![i]!));
  const middle = plus(x, apply(attended, w('attn.c_proj.weight')));
  const hidden = apply(norm(middle, w('ln_2.weight')[0]!), w('mlp.c_fc.weight')).map((row) =>
    row.map((v) => v * 0.5 * (1 + erf(v / Math.SQRT2))),
  );
  return plus(middle, apply(hidden, w('mlp.c_proj.weight')));
}

/** Weights [out][in] by name, as PyTorch names them; vectors are one row. */
export type Weights = (name: string) => Vector[];

const affine = (rows: Vector[], w: Weights, name: string) =>
  rows.map((row) =>
    w(`${name}.weight`).map((out, o) =>
      out.reduce((sum, v, i) => sum + v * row[i]!, w(`${name}.bias`)[0]![o]!),
    ),
  );

function throughStack(
  x: Vector[],
  positions: number[][],
  w: Weights,
  stack: string,
  sizes: { layers: number; heads: number },
): Vector[] {
  let rows = x.map((row, t) => {
    const [n, l, r] = positions[t] as [number, number, number];
    const first = w('pe.pe1.weight')[n]!.map((v, i) => v + w('pe.pe2.weight')[l]![i]!);
    return [...first, ...w('pe.pe3.weight')[r]!].map((v, i) => v + row[i]!);
  });
  for (let i = 0; i < sizes.layers; i++)
    rows = oracleBlock(rows, sizes.heads, (name) => w(`${stack}.transformer.${i}.${name}`));
  return rows;
}

/** Token embeddings (equation 3) of tokens [T][token_size] at positions [T][3], all seen together. */
export const oracleEncode = (
  tokens: Vector[],
  positions: number[][],
  w: Weights,
  sizes: { layers: number; heads: number },
) =>
  affine(
    throughStack(affine(tokens, w, 'tokenizer'), positions, w, 'transformer_encoder', sizes),
    w,
    'encoder_comp',
  );

/** Tokens of embeddings (equation 4). */
export const oracleDecode = (
  z: Vector[],
  positions: number[][],
  w: Weights,
  sizes: { layers: number; heads: number },
) =>
  affine(
    throughStack(affine(z, w, 'decoder_comp'), positions, w, 'transformer_decoder', sizes),
    w,
    'detokenizer',
  );
