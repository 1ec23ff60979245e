/**
 * Seeded random numbers. Every use has a stream of its own, derived from a seed and the name of what it is for,
 * so that one more consumer, run or worker never changes another's numbers.
 */

/** A stream of random numbers (xoshiro128**, Blackman and Vigna 2018). */
export class Random {
  private readonly s: Uint32Array;
  private spare: number | undefined;

  /** `seed` and the parts of the name together select the stream, e.g. `new Random(3, 'zoo', 'init', 17)`. */
  constructor(seed: number, ...name: (string | number)[]) {
    const digest = new Bun.CryptoHasher('sha256').update(JSON.stringify([seed, ...name])).digest();
    this.s = new Uint32Array(digest.buffer.slice(digest.byteOffset, digest.byteOffset + 16));
  }

  /** 32 random bits. */
  bits(): number {
    const s = this.s as unknown as [number, number, number, number];
    const x = Math.imul(s[1], 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  /** Uniform in [low, high), of 53 bits. */
  uniform(low = 0, high = 1): number {
    const unit = ((this.bits() >>> 5) * 67108864 + (this.bits() >>> 6)) / 9007199254740992;
    return low + (high - low) * unit;
  }

  /** A whole number in [0, n), without modulo bias. */
  integer(n: number): number {
    const limit = 4294967296 - (4294967296 % n);
    let x = this.bits();
    while (x >= limit) x = this.bits();
    return x % n;
  }

  /** Standard normal (polar Box-Muller). */
  normal(): number {
    if (this.spare !== undefined) {
      const value = this.spare;
      this.spare = undefined;
      return value;
    }
    for (;;) {
      const u = this.uniform(-1, 1);
      const v = this.uniform(-1, 1);
      const r = u * u + v * v;
      if (r > 0 && r < 1) {
        const scale = Math.sqrt((-2 * Math.log(r)) / r);
        this.spare = v * scale;
        return u * scale;
      }
    }
  }

  /** `n` standard normals. */
  normals(n: number): Float32Array {
    const out = new Float32Array(n);
    for (let i = 0; i < n; i++) out[i] = this.normal();
    return out;
  }

  /** A random permutation of 0..n-1 (Fisher and Yates). */
  permutation(n: number): Int32Array {
    const out = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const swap = out[i] as number;
      out[i] = out[j] as number;
      out[j] = swap;
    }
    return out;
  }
}
