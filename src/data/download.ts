/** Downloads that resume where they were interrupted: what has arrived is kept in `<file>.part`, which is renamed when it is complete. */
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Lease } from '../base/lease.ts';
import type { Report } from '../base/progress.ts';
import { checkFile, type PublishedFile } from './published.ts';

/** A server that sends nothing for so long has gone away. */
const silenceMs = 60_000;
const reportEveryMs = 250;
const lookAgainMs = 500;

const sizeOf = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  );

/**
 * Downloads the file to path `to` from the first mirror that has it. Where another process is at it already, waits for that one. Returns undefined
 * when it is there and its content checked, or what went wrong with each mirror.
 */
export async function fetchOnce(
  mirrors: readonly string[],
  file: PublishedFile,
  to: string,
  report: Report,
): Promise<string[] | undefined> {
  await mkdir(dirname(to), { recursive: true });
  let lease = Lease.take(`${to}.lock`);
  while (!lease) {
    reportBytes(report, file, (await sizeOf(`${to}.part`)) ?? 0);
    await Bun.sleep(lookAgainMs);
    lease = Lease.take(`${to}.lock`);
  }
  try {
    if ((await sizeOf(to)) !== undefined) return void (await checkFile(to, file));
    const failures: string[] = [];
    for (const mirror of mirrors) {
      const url = `${mirror}/${file.name}`;
      try {
        return void (await download(url, file, to, report, lease));
      } catch (error) {
        failures.push(`${url}: ${(error as Error).message}`);
      }
    }
    return failures;
  } finally {
    lease.release();
  }
}

function reportBytes(report: Report, { name, bytes }: PublishedFile, done: number): void {
  report({ done, total: Math.max(bytes, done), unit: `bytes of ${name}` });
}

/** Downloads what is missing of the file, checks it and gives it its name. Throws if that fails; what has arrived stays for the next time. */
async function download(
  url: string,
  file: PublishedFile,
  to: string,
  report: Report,
  lease: Lease,
): Promise<void> {
  const part = `${to}.part`;
  const before = (await sizeOf(part)) ?? 0;
  await receive(url, file, part, before, report, lease);
  try {
    await checkFile(part, file);
  } catch {
    const size = await sizeOf(part);
    await rm(part, { force: true });
    // What was there already may have been another file's.
    if (before > 0) return download(url, file, to, report, lease);
    throw new Error(`not the published file: another MD5 sum (${size} bytes, published are ${file.bytes})`);
  }
  await rename(part, to);
}

/** Adds to `part` what the server has from byte `from` on, or replaces it where the server sends everything. */
async function receive(
  url: string,
  file: PublishedFile,
  part: string,
  from: number,
  report: Report,
  lease: Lease,
): Promise<void> {
  const controller = new AbortController();
  const silence = setTimeout(
    () => controller.abort(new Error(`no data was received for ${silenceMs / 1000} s`)),
    silenceMs,
  );
  try {
    const headers = from > 0 ? { range: `bytes=${from}-` } : undefined;
    // The checksums are of the files as they are, gzipped or not.
    const response = await fetch(url, { headers, signal: controller.signal, decompress: false });
    // Nothing behind the end: all of it, or too much, is here already.
    if (response.status === 416 && from > 0) return;
    if (!response.ok || !response.body)
      throw new Error(`${response.status} ${response.statusText}`.trimEnd());
    const start = Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? 0);
    const resumed = response.status === 206 && start === from;
    if (response.status === 206 && !resumed)
      throw new Error(`asked for the bytes from ${from} on, got those from ${start} on`);
    let done = resumed ? from : 0;
    // A server that does not say how much it sends may end early without an error.
    const length = response.headers.get('content-length');
    const end = length === null ? file.bytes : done + Number(length);
    let toldAt = Number.NEGATIVE_INFINITY;
    const out = await open(part, resumed ? 'a' : 'w');
    try {
      for await (const chunk of response.body) {
        silence.refresh();
        lease.lost.throwIfAborted();
        for (let at = 0; at < chunk.length; ) at += (await out.write(chunk, at)).bytesWritten;
        done += chunk.length;
        if (performance.now() - toldAt < reportEveryMs) continue;
        toldAt = performance.now();
        reportBytes(report, file, done);
      }
    } finally {
      await out.close();
    }
    if (done < end) throw new Error(`the connection ended after ${done} of ${end} bytes`);
    reportBytes(report, file, done);
  } finally {
    clearTimeout(silence);
  }
}
