/** `exp reconstruct <model>... --sane state.pt --out folder`: each network as SANE encodes and decodes it, in a file of the same name. */
import { mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { reconstructNetwork } from '../../sane/decode-networks.ts';
import { type Request, requiredValue } from '../arguments.ts';
import { countOption, formatOption, networksAt, openPretrained, writeNetwork } from '../networks.ts';
import { print } from '../output.ts';
import { UsageError } from '../usage.ts';

/** Returns the exit code. Prints the path of each file written, or as JSON `[{model, file}]`. */
export async function reconstructCommand(request: Request): Promise<number> {
  const out = requiredValue(request, 'out');
  const format = formatOption(request);
  const models = await networksAt(request.positionals);
  const files = outFiles(models, out, format);
  const own = [...files].find(([, file]) => models.some((model) => resolve(model) === resolve(file)));
  if (own)
    throw new UsageError(`${own[1]} would overwrite its own input`, 'choose another folder with --out');
  const window = countOption(request, 'window');
  const pretrained = await openPretrained(request);
  await mkdir(out, { recursive: true });
  const json = request.switches.has('json');
  for (const [model, file] of files) {
    const tensors = await reconstructNetwork(pretrained, model, window);
    await writeNetwork(file, tensors);
    if (!json) print(file);
  }
  pretrained.dispose();
  if (json) print(JSON.stringify(Array.from(files, ([model, file]) => ({ model, file }))));
  return 0;
}

/** Where each network goes. Models of the same file name, as in a folder for each epoch, get a number. */
function outFiles(models: readonly string[], out: string, format: string): Map<string, string> {
  const stem = (path: string) =>
    basename(path).replace(/\.(pt|pth|th|bin|ckpt|safetensors)(\.tar|\.index\.json)?$/, '');
  const used = new Map<string, number>();
  const unique = [...new Set(models)];
  for (const model of unique) used.set(stem(model), (used.get(stem(model)) ?? 0) + 1);
  return new Map(
    unique.map((model, i) => {
      const name = (used.get(stem(model)) as number) > 1 ? `${stem(model)}-${i + 1}` : stem(model);
      return [model, join(out, `${name}.${format}`)];
    }),
  );
}
