/** TensorFlow's functions through its C interface (tensorflow/c/c_api.h): operations that were run one by one, as one operation. */
import { dlopen, type Pointer, toArrayBuffer } from 'bun:ffi';
import type { Call, Recording } from './execute.ts';
import type { Constant, Handle } from './handles.ts';

const symbols = {
  exp_context: { args: [], returns: 'ptr' },
  exp_add_input: { args: ['ptr', 'ptr'], returns: 'void' },
  TF_NewStatus: { args: [], returns: 'ptr' },
  TF_GetCode: { args: ['ptr'], returns: 'i32' },
  TF_Message: { args: ['ptr'], returns: 'cstring' },
  TF_NewGraph: { args: [], returns: 'ptr' },
  TF_DeleteGraph: { args: ['ptr'], returns: 'void' },
  TF_NewOperation: { args: ['ptr', 'ptr', 'ptr'], returns: 'ptr' },
  TF_AddInputList: { args: ['ptr', 'ptr', 'i32'], returns: 'void' },
  TF_SetAttrType: { args: ['ptr', 'ptr', 'i32'], returns: 'void' },
  TF_SetAttrInt: { args: ['ptr', 'ptr', 'i64'], returns: 'void' },
  TF_SetAttrBool: { args: ['ptr', 'ptr', 'u8'], returns: 'void' },
  TF_SetAttrTensor: { args: ['ptr', 'ptr', 'ptr', 'ptr'], returns: 'void' },
  TF_AllocateTensor: { args: ['i32', 'ptr', 'i32', 'u64'], returns: 'ptr' },
  TF_TensorData: { args: ['ptr'], returns: 'ptr' },
  TF_DeleteTensor: { args: ['ptr'], returns: 'void' },
  TF_FinishOperation: { args: ['ptr', 'ptr'], returns: 'ptr' },
  TF_GraphToFunction: {
    args: ['ptr', 'ptr', 'u8', 'i32', 'ptr', 'i32', 'ptr', 'i32', 'ptr', 'ptr', 'ptr', 'ptr', 'ptr'],
    returns: 'ptr',
  },
  TF_DeleteFunction: { args: ['ptr'], returns: 'void' },
  TFE_ContextAddFunction: { args: ['ptr', 'ptr', 'ptr'], returns: 'void' },
} as const;

type Library = ReturnType<typeof dlopen<typeof symbols>>['symbols'];

const text = (value: string) => Buffer.from(`${value}\0`);

/** An output of an operation, TF_Output: its operation's address, and which of that one's outputs. */
type Output = readonly [operation: bigint, index: bigint];

const listOf = (outputs: readonly Output[]) => BigInt64Array.from(outputs.flat());

/** Gives TensorFlow operations of ours. */
export class FunctionLibrary {
  private readonly c: Library;
  private readonly status: Pointer;

  /** `path` is that of the addon in use, which build.ts has compiled. */
  constructor(path: string) {
    this.c = dlopen(path, symbols).symbols;
    this.status = this.c.TF_NewStatus() as Pointer;
  }

  /**
   * Makes an operation of that name which does the calls. What they use is an input, comes of an earlier call or is one of the
   * constants. Throws an error that names it and has what TensorFlow says.
   */
  define(name: string, recording: Recording, constants: ReadonlyMap<number, Constant>): void {
    const { c, status } = this;
    const graph = c.TF_NewGraph() as Pointer;
    try {
      const made = this.functionOf(name, graph, recording, constants);
      c.TFE_ContextAddFunction(c.exp_context(), made, status);
      c.TF_DeleteFunction(made);
      this.check();
    } catch (error) {
      const shapes = recording.inputs.map(({ shape }) => `[${shape}]`).join(', ');
      throw new Error(
        `TensorFlow does not take the function ${name} of tensors ${shapes}: ${(error as Error).message} Use another version of TensorFlow, or the device native.`,
      );
    } finally {
      c.TF_DeleteGraph(graph);
    }
  }

  private functionOf(
    name: string,
    graph: Pointer,
    { calls, inputs, outputs }: Recording,
    constants: ReadonlyMap<number, Constant>,
  ): Pointer {
    const { c, status } = this;
    const known = new Map<number, Output>();
    const operation = (kind: string, describe: (description: Pointer) => void): bigint => {
      const description = c.TF_NewOperation(graph, text(kind), text(`operation${known.size}`)) as Pointer;
      describe(description);
      const made = c.TF_FinishOperation(description, status);
      this.check();
      return BigInt(made as Pointer);
    };
    const find = (id: number): Output => {
      const earlier = known.get(id);
      if (earlier) return earlier;
      const constant = constants.get(id);
      if (!constant) throw new Error('a call uses what is neither an input nor computed nor a constant.');
      const output = [operation('Const', (it) => this.describe(it, constant)), 0n] as const;
      known.set(id, output);
      return output;
    };
    for (const { id, dtype } of inputs) {
      const made = operation('Placeholder', (it) => c.TF_SetAttrType(it, text('dtype'), dtype));
      known.set(id, [made, 0n]);
    }
    for (const call of calls) {
      const given = call.inputs.map(({ id }) => find(id));
      const made = operation(call.name, (it) => this.describeCall(it, call, given));
      for (const [i, { id }] of call.outputs.entries()) known.set(id, [made, BigInt(i)]);
    }
    const [ins, outs] = [inputs, outputs].map((handles) => listOf(handles.map(({ id }) => find(id))));
    const sizes = [inputs.length, ins as BigInt64Array, outputs.length, outs as BigInt64Array] as const;
    // All operations of the graph; no names for the outputs, no options, no description.
    const made = c.TF_GraphToFunction(graph, text(name), 0, -1, null, ...sizes, null, null, null, status);
    this.check();
    return made as Pointer;
  }

  private describeCall(description: Pointer, { attributes, outputs }: Call, inputs: readonly Output[]): void {
    const { c } = this;
    // N is how many tensors are in a list, and is found by it.
    if ('N' in attributes) c.TF_AddInputList(description, listOf(inputs), inputs.length);
    else for (const input of inputs) c.exp_add_input(description, listOf([input]));
    c.TF_SetAttrType(description, text('T'), (outputs[0] as Handle).dtype);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === 'N') continue;
      if (typeof value === 'boolean') c.TF_SetAttrBool(description, text(name), Number(value));
      else if (typeof value === 'number') c.TF_SetAttrInt(description, text(name), BigInt(value));
      else throw new TypeError(`no function has an attribute such as ${name}: ${value}.`);
    }
  }

  private describe(description: Pointer, constant: Constant): void {
    const { c, status } = this;
    const { dtype, shape, values } = constant;
    const sizes = BigInt64Array.from(shape, BigInt);
    const tensor = c.TF_AllocateTensor(
      dtype,
      shape.length > 0 ? sizes : null,
      shape.length,
      values.byteLength,
    );
    const memory = toArrayBuffer(c.TF_TensorData(tensor) as Pointer, 0, values.byteLength);
    new Uint8Array(memory).set(new Uint8Array(values.buffer));
    c.TF_SetAttrType(description, text('dtype'), dtype);
    // It keeps a reference of its own.
    c.TF_SetAttrTensor(description, text('value'), tensor, status);
    c.TF_DeleteTensor(tensor);
    this.check();
  }

  private check(): void {
    if (this.c.TF_GetCode(this.status) !== 0) throw new Error(String(this.c.TF_Message(this.status)));
  }
}
