import { dlopen } from 'bun:ffi';

const library = process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6';
const text = (value: string) => Buffer.from(`${value}\0`);

/**
 * Sets environment variables of this process, for the libraries in C that it loads later too: these have an environment of their own, of
 * which `process.env` changes nothing. With `keep`, those that are set already stay as they are.
 */
export function setEnvironment(variables: Record<string, string>, { keep = false } = {}): void {
  const { symbols } = dlopen(library, { setenv: { args: ['cstring', 'cstring', 'i32'], returns: 'i32' } });
  for (const [name, value] of Object.entries(variables)) {
    symbols.setenv(text(name), text(value), keep ? 0 : 1);
    if (!keep || process.env[name] === undefined) process.env[name] = value;
  }
}
