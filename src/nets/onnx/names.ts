/** Names of modules in an ONNX file of PyTorch. */
import type { NodeProto } from './onnx_pb.ts';

/**
 * The name of the module that a node is from, as in the state dict: that of its weight, `conv1.weight`; where the exporter gave the weight
 * another name because it computed it, from where it says the node is from.
 */
export function moduleName(node: NodeProto, weight: string | undefined): string {
  const [, own] = /^(.+)\.weight$/.exec(weight ?? '') ?? [];
  return own ?? fromScopes(node) ?? fromPath(node) ?? (node.name || (node.output[0] as string));
}

/** The exporter since PyTorch 2.5 lists the modules around a node: `['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d_1']`. */
function fromScopes({ metadataProps }: NodeProto): string | undefined {
  const scopes = metadataProps.find(({ key }) => key === 'pkg.torch.onnx.name_scopes')?.value;
  const names = [...(scopes?.matchAll(/'([^']*)'/g) ?? [])].map(([, name]) => name);
  return names.at(-2) || undefined;
}

/**
 * The older one names nodes by their path, in which members of a sequence have its name too:
 * `/features/features.1/conv/conv.0/conv.0.0/Conv` is `features.1.conv.0.0`.
 */
function fromPath({ name }: NodeProto): string | undefined {
  const modules = name.split('/').slice(1, -1);
  if (!name.startsWith('/') || modules.length === 0) return undefined;
  return modules.reduce((path, module, i) => {
    const before = modules[i - 1];
    const isMember = before !== undefined && module.startsWith(`${before}.`);
    return isMember ? path + module.slice(before.length) : path ? `${path}.${module}` : module;
  }, '');
}
