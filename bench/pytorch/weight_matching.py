"""
Weight matching (Ainsworth et al. 2022) as the authors of SANE run it: from the order as it is, groups of units in a random order, every
tensor with the group on one axis in the objective, the assignment by SciPy, until a sweep gains nothing. A variant is a pair of networks,
its values are the orders of all groups.
"""

import torch
from scipy.optimize import linear_sum_assignment
from turns import arguments, take_turns

tensors, _, config = arguments()
spec = config["groups"]  # by name: [parameter, axis]
axes = {}
for group, places in spec.items():
    for parameter, axis in places:
        axes.setdefault(parameter, {})[axis] = group


def permuted(orders, parameter, value, but=None):
    for axis, group in axes[parameter].items():
        if axis != but:
            value = torch.index_select(value, axis, orders[group])
    return value


def match(target, model, generator):
    orders = {group: torch.arange(target[places[0][0]].shape[places[0][1]]) for group, places in spec.items()}
    names = list(spec)
    for _ in range(100):
        progress = False
        for index in torch.randperm(len(names), generator=generator):
            group = names[index]
            n = len(orders[group])
            products = torch.zeros(n, n)
            for parameter, axis in spec[group]:
                a = torch.moveaxis(target[parameter], axis, 0).reshape(n, -1)
                b = permuted(orders, parameter, model[parameter], but=axis)
                products += a @ torch.moveaxis(b, axis, 0).reshape(n, -1).T
            _, columns = linear_sum_assignment(products.numpy(), maximize=True)
            columns = torch.from_numpy(columns)
            rows = torch.arange(n)
            gain = products[rows, columns].sum() - products[rows, orders[group]].sum()
            orders[group] = columns
            progress = progress or gain.item() > 1e-12
        if not progress:
            break
    return orders


def prepare(pair):
    target, model = (
        {name.removeprefix(f"{pair}.{side}."): value for name, value in tensors.items() if name.startswith(f"{pair}.{side}.")}
        for side in ("target", "model")
    )
    found = {}

    def step():
        found.update(match(target, model, torch.Generator().manual_seed(0)))

    return step, lambda: torch.cat([found[group] for group in spec])


take_turns({pair: lambda pair=pair: prepare(pair) for pair in config["pairs"]})
