/** What TensorFlow, CUDA and WebGPU say when a device fails, as opposed to a program. */

export interface Trouble {
  kind: 'memory' | 'lost';
  /** The line that reports it. */
  line: string;
}

const signs: Record<Trouble['kind'], RegExp> = {
  memory: new RegExp(
    [
      'OOM when allocating|ResourceExhausted|RESOURCE_EXHAUSTED|failed to allocate memory',
      'CUDA_ERROR_OUT_OF_MEMORY|(CUDNN|CUBLAS)_STATUS_ALLOC_FAILED',
      'VK_ERROR_OUT_OF_(DEVICE|HOST)_MEMORY|GPUOutOfMemoryError',
      '\\bout of memory\\b|Array buffer allocation failed',
    ].join('|'),
    'i',
  ),
  lost: new RegExp(
    [
      'CUDA_ERROR_(ILLEGAL|LAUNCH|MISALIGNED|ECC|HARDWARE|DEINITIALIZED|NVLINK|SYSTEM_NOT_READY|UNKNOWN|ASSERT)',
      'CUDA_ERROR_(INVALID_PC|CONTEXT_IS_DESTROYED|DEVICE_UNAVAILABLE|CONTAINED)|Unexpected Event status',
      '(CPU->GPU|GPU->CPU|GPU->GPU) Memcpy failed|GPU sync failed',
      'unspecified launch failure|illegal memory access|GPU is lost|fallen off the bus',
      '(CUDNN|CUBLAS)_STATUS_(EXECUTION_FAILED|INTERNAL_ERROR|NOT_INITIALIZED|MAPPING_ERROR)',
      'VK_ERROR_DEVICE_LOST|DXGI_ERROR_DEVICE_(REMOVED|HUNG|RESET)|\\bdevice (is|was) lost|GPUDevice.*\\blost',
    ].join('|'),
    'i',
  ),
};

/** Longer lines, as TensorFlow has them, are cut. */
const longestLine = 240;

/** The trouble that a text reports, by the first line that does; undefined if none does. */
export function findTrouble(text: string): Trouble | undefined {
  for (const line of text.split('\n')) {
    for (const kind of ['memory', 'lost'] as const) {
      if (signs[kind].test(line)) return { kind, line: shorten(line.trim()) };
    }
  }
  return undefined;
}

const shorten = (line: string) => (line.length > longestLine ? `${line.slice(0, longestLine)} ...` : line);

/** The trouble as the reason of a failure; `where` names the device. */
export function describeTrouble({ kind, line }: Trouble, where: string): string {
  return kind === 'memory'
    ? `${where} ran out of memory: ${line}. Let fewer jobs share it (--jobs), or lower the batch size in the experiment; no retry does that.`
    : `${where} failed or was reset: ${line}. The same command tries again; if it fails again, restart the driver or leave the device out (--gpus).`;
}
