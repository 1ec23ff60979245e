/**
 * Prints the adapters that Dawn finds as one line of JSON, and on standard error what Dawn and the drivers say. A program of its
 * own: a driver that crashes while it is asked takes nobody along, and its messages can be read.
 */
import type { Adapter } from './adapters.ts';
import { type Dawn, loadDawn } from './package.ts';

/** What Dawn calls the interface of the drivers that it is to use. */
const backend = process.platform === 'darwin' ? 'metal' : 'vulkan';

/** The names of the adapters: Dawn lists them when it is asked for one that does not exist. */
async function listNames({ create }: Dawn): Promise<string[]> {
  const nobody = crypto.randomUUID();
  try {
    await create([`backend=${backend}`, `adapter=${nobody}`]).requestAdapter();
  } catch (error) {
    const lines = (error as Error).message.matchAll(/backend: '(\w+)', name: '(.*)'$/gm);
    return [...new Set([...lines].filter(([, of]) => of === backend).map(([, , name]) => name as string))];
  }
  return [];
}

async function inspect({ create }: Dawn, name: string): Promise<Adapter | undefined> {
  const options = [`backend=${backend}`, `adapter=${name}`];
  const adapter = await create(options).requestAdapter();
  if (!adapter) return undefined;
  const { description, isFallbackAdapter } = adapter.info;
  return { name, driver: description, software: isFallbackAdapter, options };
}

const dawn = await loadDawn();
const adapters: (Adapter | undefined)[] = [];
for (const name of await listNames(dawn)) adapters.push(await inspect(dawn, name));
console.log(JSON.stringify(adapters.filter((adapter) => adapter !== undefined)));
// Dawn may keep threads that nothing ends.
process.exit(0);
