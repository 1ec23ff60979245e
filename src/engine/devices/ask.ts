/** Runs a program that asks drivers, in a process of its own: one that crashes takes nobody along, and what drivers print can be read. */
export async function ask(
  path: string,
  env: Record<string, string | undefined>,
): Promise<{ answer?: string; printed: string; ended: string }> {
  const child = Bun.spawn([process.execPath, path], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [answer, printed] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const code = await child.exited;
  const how = child.signalCode ? `was ended by ${child.signalCode}` : `ended with exit code ${code}`;
  const ended = `${how}: ${printed.trimEnd().split('\n').at(-1) ?? ''}`;
  return { ...(code === 0 && { answer }), printed, ended };
}
