import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

type Values = Parameters<WebGPUBackend['write']>[0];

/** tfjs's back end on a device, with what training over hours needs besides. */
export function makeBackend(
  Base: typeof WebGPUBackend,
  device: GPUDevice,
  info: GPUAdapterInfo,
): WebGPUBackend {
  return new (extend(Base))(device, info);
}

function extend(Base: typeof WebGPUBackend): typeof WebGPUBackend {
  return class extends Base {
    /** Why the device can compute no more. WebGPU reports it by events, while every call continues as if nothing had happened. */
    private failure: Error | undefined;

    constructor(device: GPUDevice, info?: GPUAdapterInfo) {
      super(device, info);
      const fail = (kind: string, message: string) => {
        this.failure ??= new Error(`${kind}: ${message}`);
      };
      device.lost.then(({ reason, message }) => fail(`The GPUDevice was lost (${reason})`, message));
      device.onuncapturederror = ({ error }) => fail(error.constructor.name, error.message);
    }

    /** The package keeps an array until it is needed on the GPU: a caller may have changed it by then. */
    override write(...[values, ...rest]: Parameters<WebGPUBackend['write']>): object {
      return super.write(copied(values), ...rest);
    }

    override move(...[id, values, ...rest]: Parameters<WebGPUBackend['move']>): void {
      super.move(id, copied(values), ...rest);
    }

    override readSync(id: object): Values {
      const { values } = this.tensorMap.get(id);
      if (values) return values;
      throw new Error(
        'A tensor on the GPU is read by dataSync, for which WebGPU has no means: read it by data.',
      );
    }

    override async read(id: object): Promise<Values> {
      const values = await super.read(id).catch((error: unknown) => {
        throw this.failure ?? error;
      });
      if (this.failure) throw this.failure;
      return values;
    }

    /** Comes before every computation. */
    override uploadToGPU(id: object): void {
      if (this.failure) throw this.failure;
      super.uploadToGPU(id);
    }

    override submitQueue(): void {
      super.submitQueue();
      trim(this.bufferManager as unknown as BufferManager);
    }
  };
}

const copied = (values: Values): Values => values?.slice() as Values;

/** What is used of the package's own. */
interface BufferManager {
  /** By size and usage. */
  freeBuffers: Map<string, GPUBuffer[]>;
  numFreeBuffers: number;
  numBytesUsed: number;
  numBytesAllocated: number;
}

/** Bytes of free buffers that are kept in any case. */
const keptBytes = 2 ** 28;

/** Free buffers are used again for tensors of the same size only: where sizes change, they would fill the memory. */
function trim(manager: BufferManager): void {
  const { freeBuffers, numBytesUsed, numBytesAllocated } = manager;
  if (numBytesAllocated - numBytesUsed <= Math.max(keptBytes, numBytesUsed)) return;
  for (const buffers of freeBuffers.values()) {
    for (const buffer of buffers) {
      buffer.destroy();
      manager.numBytesAllocated -= buffer.size;
    }
    manager.numFreeBuffers -= buffers.length;
    buffers.length = 0;
  }
}
