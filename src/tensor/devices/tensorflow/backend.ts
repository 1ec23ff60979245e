/** The package's back end with two changes in how numbers come to the device. */
import type { tf } from '../../tf.ts';
import type { TensorflowBackend } from './handles.ts';

export type BackendClass = new (addon: unknown, packageName: string) => TensorflowBackend;

/** A number that is on the device. */
interface Scalar {
  /** Of TensorFlow's tensor. */
  id: number;
  /** Tensors of tfjs that it stands for. */
  users: number;
}

/** So many numbers are kept at first; more where more are in use at once. */
const leastKept = 256;

/**
 * The class of the back end, in which
 * - an array is copied. The package keeps it until an operation needs it, and on a CPU computes on it then: a caller may have
 *   changed it.
 * - a number is copied to the device once. `tf.mul(x, 0.9)` makes a new tensor of 0.9 every time, and TensorFlow waits for each
 *   copy to a GPU. A step of SANE with 8 + 8 layers has 323 of them, of a few different numbers.
 */
export function extend(Package: BackendClass): BackendClass {
  return class extends Package {
    private readonly scalars = new Map<number | string, Scalar>();
    private readonly byId = new Map<number, Scalar>();
    private kept = leastKept;

    override move(...[dataId, values, shape, dtype, refCount]: Parameters<tf.KernelBackend['move']>): void {
      if (dtype !== 'float32' || shape.length > 0 || !values) {
        super.move(dataId, values?.slice() as typeof values, shape, dtype, refCount);
        return;
      }
      const { id } = this.take(values[0] as number);
      this.tensorMap.set(dataId, { shape, dtype: this.binding.TF_FLOAT, values: null, id, refCount });
    }

    override disposeData(dataId: object, force = false): boolean {
      const info = this.tensorMap.has(dataId) ? this.tensorMap.get(dataId) : undefined;
      const scalar = info && this.byId.get(info.id);
      if (scalar && (force || info.refCount === 1)) {
        scalar.users--;
        // The package deletes TensorFlow's tensor where there is one.
        info.id = -1;
      }
      return super.disposeData(dataId, force);
    }

    private take(value: number): Scalar {
      const key = Object.is(value, -0) ? '-0' : value;
      let scalar = this.scalars.get(key);
      if (!scalar) {
        if (this.scalars.size >= this.kept) this.forget();
        const id = this.binding.createTensor([], this.binding.TF_FLOAT, Float32Array.of(value));
        scalar = { id, users: 0 };
        this.scalars.set(key, scalar);
        this.byId.set(id, scalar);
      }
      scalar.users++;
      return scalar;
    }

    /** Deletes the numbers that nothing uses. */
    private forget(): void {
      for (const [key, { id, users }] of this.scalars) {
        if (users > 0) continue;
        this.binding.deleteTensor(id);
        this.scalars.delete(key);
        this.byId.delete(id);
      }
      this.kept = Math.max(leastKept, 2 * this.scalars.size);
    }
  };
}
