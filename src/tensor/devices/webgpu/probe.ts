/** Prints the adapters that Dawn finds as one line of JSON, and on standard error what Dawn and the drivers say. */
import { type Adapter, preference } from './adapters.ts';
import { type Dawn, loadDawn } from './package.ts';

/** What Dawn calls the interface of the drivers that it is to use. */
const backend = process.platform === 'darwin' ? 'metal' : 'vulkan';

/** The names of all adapters: Dawn lists them when it is asked for one that does not exist. */
async function listNames({ create }: Dawn): Promise<string[]> {
  const nobody = crypto.randomUUID();
  try {
    await create([`backend=${backend}`, `adapter=${nobody}`]).requestAdapter(preference);
  } catch (error) {
    const lines = (error as Error).message.matchAll(/backend: '(\w+)', name: '(.*)'$/gm);
    return [...lines].filter(([, of]) => of === backend).map(([, , name]) => name as string);
  }
  return [];
}

async function inspect({ create }: Dawn, name: string, count: number): Promise<Adapter | undefined> {
  const options = [`backend=${backend}`, `adapter=${name}`];
  const adapter = await create(options).requestAdapter(preference);
  if (!adapter) return undefined;
  const { description, isFallbackAdapter } = adapter.info;
  return { name, count, driver: description, software: isFallbackAdapter, options };
}

const dawn = await loadDawn();
const names = await listNames(dawn);
/** Of each adapter, the name of the one that Dawn gives for its name: the first that has it as a part. */
const given = names.map((name) => names.find((other) => other.includes(name)) as string);
const adapters: (Adapter | undefined)[] = [];
for (const [name, { length }] of Map.groupBy(given, (name) => name))
  adapters.push(await inspect(dawn, name, length));
console.log(JSON.stringify(adapters.filter((adapter) => adapter !== undefined)));
// Dawn may keep threads that nothing ends.
process.exit(0);
