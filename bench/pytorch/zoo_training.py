"""An epoch of a population of small networks, one model after the other; and, for information, in other ways."""

import multiprocessing

import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional as F
from turns import arguments, inputs_of, set_precision, take_turns

tensors, threads, config = arguments()
set_precision("float32")
weights, inputs = inputs_of(tensors)
images = inputs["images"].permute(0, 3, 1, 2).contiguous()
labels, orders = inputs["labels"].long(), inputs["orders"].long()
models = orders.shape[1]
activations = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "gelu": nn.GELU}


def module(layer):
    match layer["kind"]:
        case "conv2d":
            return nn.Conv2d(layer["inputs"], layer["outputs"], layer["kernel"])
        case "linear":
            return nn.Linear(layer["inputs"], layer["outputs"])
        case "max-pool":
            return nn.MaxPool2d(2)
        case "activation":
            return activations[config["activation"]]()
        case "flatten":
            return nn.Flatten()
        case "dropout":
            return nn.Dropout(0)


def network():
    return nn.Sequential(*map(module, config["layers"]))


def adam(parameters):
    return torch.optim.Adam(parameters, lr=config["learning_rate"], weight_decay=config["weight_decay"], fused=True)


class Model:
    """One model of the population, its optimiser, and how many epochs it has trained."""

    def __init__(self, index):
        self.index = index
        self.epochs = 0
        self.network = network().to(config["device"])
        with torch.no_grad():
            for parameter, values in zip(self.network.parameters(), weights.values()):
                parameter.copy_(values[index])
        self.optimizer = adam(self.network.parameters())

    def train_epoch(self):
        for batch in orders[self.epochs, self.index].split(config["batch_size"]):
            self.optimizer.zero_grad()
            F.cross_entropy(self.network(images[batch]), labels[batch]).backward()
            self.optimizer.step()
        self.epochs += 1

    @torch.no_grad()
    def loss(self):
        return F.cross_entropy(self.network(images), labels).item()


def one_after_the_other(count):
    population = [Model(i) for i in range(models)]

    def step():
        torch.set_num_threads(count)
        for model in population:
            model.train_epoch()

    return step, lambda: [model.loss() for model in population]


def work(connection, indices):
    """A process that trains its share of the models whenever it is asked to, and then tells their losses."""
    torch.set_num_threads(1)
    population = [Model(i) for i in indices]
    while True:
        request = connection.recv()
        if request == "train":
            for model in population:
                model.train_epoch()
            connection.send(None)
        else:
            connection.send([model.loss() for model in population])


def in_processes():
    shares = [range(models)[i::threads] for i in range(threads)]
    connections = []
    for share in shares:
        here, there = multiprocessing.Pipe()
        multiprocessing.get_context("fork").Process(target=work, args=(there, share), daemon=True).start()
        connections.append(here)

    def ask(request):
        for connection in connections:
            connection.send(request)
        return [connection.recv() for connection in connections]

    def values():
        losses = dict(zip((i for share in shares for i in share), (loss for part in ask("losses") for loss in part)))
        return [losses[i] for i in range(models)]

    return lambda: ask("train"), values


def at_once():
    """All models as one, by torch.func: a leading axis on weights, gradients and averages."""
    base = network().to(config["device"])
    names = [name for name, _ in base.named_parameters()]
    stacked = [values.clone().requires_grad_() for values in weights.values()]
    optimizer = adam(stacked)
    epochs = 0

    def loss(parameters, x, y):
        return F.cross_entropy(functional_call(base, dict(zip(names, parameters)), x), y)

    gradients = vmap(grad(loss))

    def step():
        nonlocal epochs
        torch.set_num_threads(threads)
        for batch in orders[epochs].split(config["batch_size"], dim=1):
            detached = [values.detach() for values in stacked]
            for values, gradient in zip(stacked, gradients(detached, images[batch], labels[batch])):
                values.grad = gradient
            optimizer.step()
        epochs += 1

    @torch.no_grad()
    def values():
        return vmap(loss, in_dims=(0, None, None), chunk_size=8)(stacked, images, labels)

    return step, values


take_turns(
    {
        "PyTorch, one thread": lambda: one_after_the_other(1),
        "PyTorch, one after the other": lambda: one_after_the_other(threads),
        "PyTorch, all threads": lambda: one_after_the_other(threads),
        "PyTorch, a process on each core": in_processes,
        "PyTorch, vmap": at_once,
    }
)
