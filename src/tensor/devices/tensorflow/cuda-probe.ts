/** Prints the GPUs that the driver tells of, or why it tells of none, as one line of JSON. */
import { type CudaAnswer, CudaError, findGpus } from './cuda.ts';

const tell = (answer: CudaAnswer) => console.log(JSON.stringify(answer));

try {
  tell({ gpus: findGpus() });
} catch (error) {
  if (!(error instanceof CudaError)) throw error;
  tell({ message: error.message, driver: error.driver });
}
