/** Settings of TensorFlow and of NVIDIA's libraries that exist as environment variables only. */
import { setEnvironment } from '../../../base/environment.ts';

/** Those that the environment has already stay as they are. */
const settings = {
  /** Float32 means float32, as on the other devices: products round their inputs to ten bits of mantissa otherwise. */
  NVIDIA_TF32_OVERRIDE: '0',
  /** Memory is taken as it is needed, not all of the GPU's at once, so that jobs can share it. */
  TF_FORCE_GPU_ALLOW_GROWTH: 'true',
  /** Warnings and errors only. */
  TF_CPP_MIN_LOG_LEVEL: '1',
};

/** To be called before TensorFlow is loaded. */
export const applySettings = (): void => setEnvironment(settings, { keep: true });
