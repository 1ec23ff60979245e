/** Prints the GPUs that the driver reports, or why it reports none, as one line of JSON. */
import { type CudaAnswer, CudaError, findGpus } from './cuda.ts';

const print = (answer: CudaAnswer) => console.log(JSON.stringify(answer));

try {
  print({ gpus: findGpus() });
} catch (error) {
  if (!(error instanceof CudaError)) throw error;
  print({ message: error.message, driver: error.driver });
}
