/** What a file holds, and by what it is known that it was not touched since. */
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** By a file's path in its artefact: its SHA-256 and its identity when it had that. */
export type Verified = Record<string, string>;

/** What changes when a file is written, replaced or copied: size, times of change of the content and of the file, inode. */
export function identify(path: string): string {
  const { size, mtimeNs, ctimeNs, ino } = statSync(path, { bigint: true });
  return `${size} ${mtimeNs} ${ctimeNs} ${ino}`;
}

/** Size, SHA-256 and identity before it was read of a file, which is flushed to disk as well if `sync` says so. */
export async function fingerprint(
  path: string,
  { sync }: { sync: boolean },
): Promise<{ bytes: number; sha256: string; identity: string }> {
  const identity = identify(path);
  const hasher = new Bun.CryptoHasher('sha256');
  const handle = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(1 << 20);
    let bytes = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length);
      if (bytesRead === 0) break;
      hasher.update(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
    if (sync) await handle.datasync();
    return { bytes, sha256: hasher.digest('hex'), identity };
  } finally {
    await handle.close();
  }
}
