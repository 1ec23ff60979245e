/** Where in a checkpoint the state dict is. */
import { FormatError } from '../../base/source.ts';
import { TensorRef } from './torch-globals.ts';

/** Under which names training scripts keep the model's state dict beside the optimizer's; the authors' SANE checkpoints have `model`. */
const usual = ['model', 'state_dict', 'model_state_dict', 'module', 'net', 'weights', 'params'];

/**
 * The tensors by name: those of the saved dict itself, or of the one that stands in it under a usual name or is the only one there.
 * Throws a FormatError that tells what is there instead.
 */
export function findStateDict(root: unknown): Map<string, TensorRef> {
  if (!(root instanceof Map))
    throw new FormatError('the checkpoint holds no state dict: save model.state_dict()');
  const own = tensorsOf(root);
  if (own.size > 0) return own;
  for (const name of usual) {
    const nested = tensorsOf(root.get(name));
    if (nested.size > 0) return nested;
  }
  const others = [...root.values()].map(tensorsOf).filter(({ size }) => size > 0);
  const [only] = others;
  if (only && others.length === 1) return only;
  const names = [...root.keys()].filter((key) => typeof key === 'string').slice(0, 10);
  throw new FormatError(
    names.length === 0
      ? 'the checkpoint holds no tensors'
      : `which of these is the state dict is not clear: ${names.join(', ')}; save model.state_dict() alone, or under \`model\``,
  );
}

/** The values of a dict that are tensors with a text for a name. */
function tensorsOf(value: unknown): Map<string, TensorRef> {
  const tensors = new Map<string, TensorRef>();
  if (!(value instanceof Map)) return tensors;
  for (const [name, tensor] of value) {
    if (typeof name === 'string' && tensor instanceof TensorRef) tensors.set(name, tensor);
  }
  return tensors;
}
