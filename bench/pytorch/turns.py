"""What the scripts of this folder share: their arguments, and taking turns with the other process."""

import json
import sys
import time

import numpy
import torch

TYPES = {"F32": numpy.float32, "I32": numpy.int32}


def arguments():
    """
    Tensors by name from the safetensors file of the first argument, on the device that the configuration names, threads, and
    the configuration as a dictionary.
    """
    path, threads, config = sys.argv[1:4]
    config = json.loads(config)
    torch.set_num_threads(int(threads))
    with open(path, "rb") as file:
        content = file.read()
    start = 8 + int.from_bytes(content[:8], "little")
    tensors = {}
    for name, entry in json.loads(content[8:start]).items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        values = numpy.frombuffer(content[start + first : start + last], TYPES[entry["dtype"]])
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]).copy()).to(config["device"])
    return tensors, int(threads), config


def set_precision(precision):
    """Float32 as it is, or products of numbers rounded to TF32, from now on. Of a GPU; a CPU always has float32."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "TF32"


def autocast(device, precision):
    """For the forward pass: with mixed precision, products of bfloat16 with weights of float32."""
    return torch.autocast(device, torch.bfloat16, enabled=precision == "mixed precision")


def inputs_of(tensors):
    """Divides tensors into weights and inputs; the names of the latter begin with `input.`."""
    weights = {name: value for name, value in tensors.items() if not name.startswith("input.")}
    return weights, {name.removeprefix("input."): value for name, value in tensors.items() if name not in weights}


def take_turns(variants):
    """
    Answers requests on standard input, one line of JSON each, until there are no more. `variants` maps a name to a function
    that prepares and returns (step, values): step() is timed, values() gives what the other process compares with its own.
    """
    prepared = {}
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        name, steps = request["variant"], request["steps"]
        try:
            if name not in prepared:
                prepared[name] = variants[name]()
            step, values = prepared[name]
            start = time.perf_counter()
            for _ in range(steps):
                step()
            if torch.cuda.is_initialized():
                torch.cuda.synchronize()
            ms = (time.perf_counter() - start) * 1000 / steps
            answer = {"ms": ms, "values": [float(value) for value in values()]}
        except Exception as error:  # Whatever it is, the bench tells it.
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(answer), flush=True)
