"""A product of two matrices into memory that is there already, by NumPy and by PyTorch."""

import numpy
import torch
from turns import arguments, take_turns

tensors, _, _ = arguments()
a, b = tensors["a"], tensors["b"]


def by_numpy():
    left, right = a.numpy(), b.numpy()
    product = numpy.empty_like(left)
    return lambda: numpy.matmul(left, right, out=product), lambda: product[0]


def by_pytorch():
    product = torch.empty_like(a)
    return lambda: torch.mm(a, b, out=product), lambda: product[0]


take_turns({"NumPy, OpenBLAS": by_numpy, "PyTorch, MKL": by_pytorch})
