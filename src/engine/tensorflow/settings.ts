/** Settings of TensorFlow and of NVIDIA's libraries that exist as environment variables only. */
import { dlopen } from 'bun:ffi';

/** Those that the environment has already stay as they are. */
const settings = {
  /** Float32 means float32, as on the other devices: products round their inputs to ten bits of mantissa otherwise. */
  NVIDIA_TF32_OVERRIDE: '0',
  /** Memory is taken as it is needed, not all of the GPU's at once, so that jobs can share it. */
  TF_FORCE_GPU_ALLOW_GROWTH: 'true',
  /** Warnings and errors only. */
  TF_CPP_MIN_LOG_LEVEL: '1',
};

/**
 * Sets them for the C code of this process, which reads its own environment: `process.env` changes only what JavaScript sees.
 * To be called before TensorFlow is loaded.
 */
export function applySettings(): void {
  const { symbols } = dlopen('libc.so.6', {
    setenv: { args: ['cstring', 'cstring', 'i32'], returns: 'i32' },
  });
  for (const [name, value] of Object.entries(settings)) symbols.setenv(text(name), text(value), 0);
}

const text = (value: string) => Buffer.from(`${value}\0`);
