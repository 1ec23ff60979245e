/** `exp claims <table.json>... --out <folder>`: the verdicts of tables of several experiments, in one file. */
import { join, relative } from 'node:path';
import { asStorageError } from '../../base/file-errors.ts';
import { makeFolder, writeSafely } from '../../base/files.ts';
import { type LinkedTable, listClaims } from '../../report/claim-list.ts';
import { type Request, requiredValue } from '../arguments.ts';
import { checkFolder, print, printError } from '../output.ts';
import { readTable } from '../written-table.ts';

/** Returns the exit code. */
export async function claimsCommand(request: Request): Promise<number> {
  const out = requiredValue(request, 'out');
  checkFolder(out, '--out');
  const tables: LinkedTable[] = [];
  for (const path of request.positionals) {
    const table = await readTable(path);
    if (table.claims.every((claim) => 'verdict' in claim))
      tables.push({ table, link: relative(out, path.replace(/\.json$/, '.md')) });
    else printError(`${path} is left out: it is of an earlier version, which gave no verdicts`);
  }
  const file = join(out, 'claims.md');
  try {
    await makeFolder(out);
    await writeSafely(file, listClaims(tables));
  } catch (error) {
    throw asStorageError(`the claims cannot be written to ${out}`, error, '--out');
  }
  print(file);
  return 0;
}
