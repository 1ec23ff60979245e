/** The files that `exp init` writes. */
import { readFileSync } from 'node:fs';

/** What each is for, by name. */
export const templates: Readonly<Record<string, string>> = {
  quickstart: 'property prediction on a small zoo, offline, in about a minute',
  'own-zoo': 'SANE on a folder of checkpoint files',
  sweep: 'a grid over two settings, with a pivot and a heat map',
  slurm: 'a grid for a Slurm cluster',
  table: 'one table of the paper, scaled down: Table 3, sampled networks',
};

/** An experiment of this name, with the schema at this path for editors. */
export function fillTemplate(template: string, name: string, schema: string): string {
  const text = readFileSync(new URL(`templates/${template}.yaml`, import.meta.url), 'utf8');
  return `# yaml-language-server: $schema=${schema}\n#\n${text.replaceAll('NAME', name)}`;
}
