/** Which TensorFlow the device is to use: a wheel's that EXP_TENSORFLOW names, or the one that the package downloads. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export const packageName = '@tensorflow/tfjs-node-gpu';

/** The libraries of a wheel that the addon is linked with. */
export const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

export interface Installation {
  /** e.g. `TensorFlow 2.21.0 in /opt/tensorflow`. */
  description: string;
  /** Folder with its libraries. */
  folder: string;
  /** What it was built with, as the numbers in the names of its libraries; undefined if without CUDA. */
  cuda: { runtime: string; cudnn: string } | undefined;
  /** The addon that the package has for it; undefined where one is to be compiled. */
  addon: string | undefined;
}

/** The folder of the package, or undefined if it is not installed. */
export function packageFolder(): string | undefined {
  try {
    return dirname(Bun.resolveSync(`${packageName}/package.json`, import.meta.dir));
  } catch {
    return undefined;
  }
}

/** The TensorFlow of this environment, or what is missing. */
export function findInstallation(
  env: Record<string, string | undefined> = process.env,
): Installation | { missing: string } {
  return env.EXP_TENSORFLOW ? ofWheel(resolve(env.EXP_TENSORFLOW)) : ofPackage();
}

/** Where a wheel says what it was built with, as a Python dictionary. */
const buildInfo = 'python/platform/build_info.py';
const needed = [...libraries, 'include/tensorflow/c/eager/c_api.h', buildInfo];

/** The folder `tensorflow` of an unpacked or installed wheel of TensorFlow for Linux. */
function ofWheel(folder: string): Installation | { missing: string } {
  const missing = needed.find((file) => !existsSync(join(folder, file)));
  if (missing) {
    return {
      missing: `EXP_TENSORFLOW names no folder tensorflow of a wheel: ${join(folder, missing)} is not there`,
    };
  }
  const versions = list(dirname(folder)).map(
    (name) => /^tensorflow(?:_\w+)?-(.+)\.dist-info$/.exec(name)?.[1],
  );
  const version = versions.find((found) => found !== undefined) ?? 'of unknown version';
  const text = readFileSync(join(folder, buildInfo), 'utf8');
  const major = (name: string) => new RegExp(`'${name}', '(\\d+)`).exec(text)?.[1];
  const [runtime, cudnn] = [major('cuda_version'), major('cudnn_version')];
  return {
    description: `TensorFlow ${version} in ${folder}`,
    folder,
    cuda: runtime && cudnn ? { runtime, cudnn } : undefined,
    addon: undefined,
  };
}

/** What the package's install script has downloaded. */
function ofPackage(): Installation | { missing: string } {
  const root = packageFolder();
  const lib = root && join(root, 'deps', 'lib');
  const addon = root && find(join(root, 'lib'), /^napi-v\d+$/, 'tfjs_binding.node');
  if (!lib || !existsSync(join(lib, 'libtensorflow.so.2'))) {
    return { missing: 'no TensorFlow: EXP_TENSORFLOW is not set, and the package has downloaded none' };
  }
  if (!addon) return { missing: `the addon of ${packageName} is missing (lib/napi-v*/tfjs_binding.node)` };
  const cuda = { runtime: '11.0', cudnn: '8' };
  return { description: `TensorFlow 2.9 of the package, in ${lib}`, folder: lib, cuda, addon };
}

function find(folder: string, subfolder: RegExp, file: string): string | undefined {
  return list(folder)
    .filter((name) => subfolder.test(name))
    .map((name) => join(folder, name, file))
    .find((path) => existsSync(path));
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
