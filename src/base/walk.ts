/** The files below a folder. Links are followed, as caches and trial folders have them, but not back to a folder that they are in. */
import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';

/** Far more than a zoo has: links may lead to the root of a disk. */
const mostFiles = 1_000_000;

/**
 * Paths of all files from the folder on, in no particular order; links that lead nowhere are among them. Throws an Error if the folder cannot
 * be read, or holds more files than a zoo has.
 */
export function filesBelow(root: string): string[] {
  const files: string[] = [];
  const visit = (folder: string, real: string) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      const target = folderOf(join(root, path), join(real, entry.name), entry);
      if (target === undefined) files.push(path);
      else if (!`${real}${sep}`.startsWith(`${target}${sep}`)) visit(path, target);
      if (files.length > mostFiles)
        throw new Error(`${root} and the folders that its links lead to hold more than ${mostFiles} files`);
    }
  };
  visit('', realpathSync(root));
  return files;
}

/** The real path of an entry that is a folder, or a link to one; undefined of others. */
function folderOf(path: string, real: string, entry: Dirent): string | undefined {
  if (entry.isDirectory()) return real;
  if (!entry.isSymbolicLink() || !statSync(path, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  return realpathSync(path);
}
