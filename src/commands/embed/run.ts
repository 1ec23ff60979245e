/** `exp embed <model>... --sane state.pt`: the mean embedding of each network, in the order given. */
import { embedNetworks } from '../../sane/embed-networks.ts';
import { optionValue, type Request } from '../arguments.ts';
import { countOption, networksAt, openPretrained } from '../networks.ts';
import { print } from '../output.ts';

/** Returns the exit code. As JSON, `[{model, embedding}]`; as text, a line for each network: its path and the numbers. */
export async function embedCommand(request: Request): Promise<number> {
  const window = countOption(request, 'window');
  const models = await networksAt(request.positionals);
  const pretrained = await openPretrained(request);
  const lines: string[] = [];
  const json = request.switches.has('json');
  for await (const { path, embedding } of embedNetworks(pretrained, models, window)) {
    const numbers = [...embedding];
    lines.push(
      json
        ? JSON.stringify({ model: path, embedding: numbers })
        : [path, ...numbers.map((x) => x.toPrecision(7))].join('\t'),
    );
  }
  pretrained.dispose();
  const text = json ? `[${lines.join(',\n')}]\n` : `${lines.join('\n')}\n`;
  const out = optionValue(request, 'out');
  if (out === undefined) print(text);
  else await Bun.write(out, text);
  return 0;
}
