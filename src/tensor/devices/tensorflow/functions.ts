import { call, type Kernel, record } from './execute.ts';
import type { FunctionLibrary } from './graph.ts';
import { constantsById, type Handle } from './handles.ts';

/** Shapes change little within a training; where they do, as those of whole networks, a kernel runs without a function after so many. */
const mostFunctions = 64;

/**
 * The kernel as one call of TensorFlow, where it has run before on the same shapes with the same attributes: the second time what it
 * does is recorded and becomes a function, which is run from then on. A call costs this process two to four times what an operation within
 * a function does. TensorFlow may order a function's arithmetic otherwise: the last bits of a training depend on when it was resumed.
 */
export function asFunction(name: string, kernel: Kernel, library: FunctionLibrary): Kernel {
  const seen = new Set<string>();
  const functions = new Map<string, { name: string; outputs: number }>();
  return (inputs: Record<string, Handle>, attributes: object) => {
    const given = Object.values(inputs);
    const key = `${JSON.stringify(attributes)} ${Object.entries(inputs).map(([name, { shape, dtype }]) => `${name} ${dtype} ${shape}`)}`;
    const known = functions.get(key);
    if (known) return call(known.name, [], given, known.outputs);
    const run = () => kernel(inputs as never, attributes as never);
    // A function's inputs are told apart by their tensors.
    const isOnce = new Set(given.map(({ id }) => id)).size === given.length;
    if (functions.size >= mostFunctions || !isOnce) return run();
    if (!seen.has(key)) {
      seen.add(key);
      return run();
    }
    const recording = record(given, run);
    const made = { name: `${name}${functions.size}`, outputs: recording.outputs.length };
    library.define(made.name, recording, constantsById());
    functions.set(key, made);
    return [...recording.outputs];
  };
}
