/** The adapters of this machine, as WebGPU calls its GPUs, and which of them is used. */
import { fileURLToPath } from 'node:url';
import { ask } from '../ask.ts';

/** The variable that names the adapter to use, by a part of its name. */
export const adapterVariable = 'EXP_WEBGPU_ADAPTER';

export interface Adapter {
  /** e.g. `NVIDIA H100 80GB HBM3`. */
  name: string;
  /**
   * How many adapters Dawn means by this name, which is how many have it or a part of it as theirs. It gives the first of them only:
   * it takes no number, and the Vulkan loader chooses by makers and models, which are those of equal GPUs too.
   */
  count: number;
  /** e.g. `NVIDIA: 580.95.05`. */
  driver: string;
  /** Whether it computes on the CPU. */
  software: boolean;
  /** By which Dawn gives this one. */
  options: string[];
}

/** What Dawn's adapters are asked for with: their order depends on it. */
export const preference: GPURequestAdapterOptions = { powerPreference: 'high-performance' };

export interface Survey {
  adapters: Adapter[];
  /** What Dawn said, e.g. that a library is missing or why it passed over an adapter. */
  complaints: string[];
  /** How the program that asked Dawn ended, if not well. */
  failure?: string;
}

/** The program that asks Dawn. */
export const probePath = fileURLToPath(new URL('./probe.ts', import.meta.url));

let survey: Promise<Survey> | undefined;

/** The adapters, in Dawn's order. They are looked for once in a process. */
export function surveyAdapters(): Promise<Survey> {
  survey ??= probeAdapters();
  return survey;
}

/** The adapters that a process of this environment finds. */
export async function probeAdapters(env: Record<string, string | undefined> = process.env): Promise<Survey> {
  const { answer, printed, ended } = await ask(probePath, env);
  const warnings = [...printed.matchAll(/^Warning: (.*)$/gm)].map(([, text]) => (text as string).trim());
  const complaints = [...new Set(warnings)];
  if (answer !== undefined) return { adapters: JSON.parse(answer) as Adapter[], complaints };
  return { adapters: [], complaints, failure: ended };
}

/**
 * The adapters that may be used: all real GPUs; or the one that `wanted` names, or those with `wanted` as a part of their name, upper or
 * lower case. Software, slow as it is, is used only where it is named and no GPU is named with it.
 */
export function usableAdapters(adapters: readonly Adapter[], wanted = ''): Adapter[] {
  const part = wanted.toLowerCase();
  const named = adapters.filter(({ name }) => name.toLowerCase().includes(part));
  const whole = named.filter(({ name }) => name.toLowerCase() === part);
  if (whole.length > 0) return whole;
  const gpus = named.filter(({ software }) => !software);
  return gpus.length > 0 || part === '' ? gpus : named;
}
