/**
 * Runs a program that asks drivers, in a process of its own: one that crashes takes nobody along, and what drivers print can be read.
 * The answer is undefined where it crashed; `ended` says how.
 */
export async function ask(
  path: string,
  env: Record<string, string | undefined>,
): Promise<{ answer?: string; printed: string; ended: string }> {
  const child = Bun.spawn([process.execPath, path], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [answer, printed] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const code = await child.exited;
  const [, error] = /^error: (.*)$/m.exec(printed) ?? [];
  const how = child.signalCode ? `was ended by ${child.signalCode}` : `ended with exit code ${code}`;
  return { ...(code === 0 && { answer }), printed, ended: error ? `${how}: ${error}` : how };
}
