"""A training step of ResNet-18 (He et al. 2016) for small images: a 3x3 stem, no pooling after it. Names are torchvision's."""

import torch
from torch import nn
from torch.nn import functional as F
from turns import arguments, autocast, inputs_of, set_precision, take_turns

tensors, _, config = arguments()
weights, inputs = inputs_of(tensors)
images, labels = inputs["images"].permute(0, 3, 1, 2).contiguous(), inputs["labels"].long()


def convolution(inputs, outputs, kernel, stride):
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = convolution(inputs, outputs, 3, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = convolution(outputs, outputs, 3, 1)
        self.bn2 = nn.BatchNorm2d(outputs)
        same = inputs == outputs and stride == 1
        self.downsample = (
            None if same else nn.Sequential(convolution(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))
        )

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(y)) + shortcut, inplace=True)


class ResNet18(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1 = convolution(3, 64, 3, 1)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(Block(64, 64, 1), Block(64, 64, 1))
        self.layer2 = nn.Sequential(Block(64, 128, 2), Block(128, 128, 1))
        self.layer3 = nn.Sequential(Block(128, 256, 2), Block(256, 256, 1))
        self.layer4 = nn.Sequential(Block(256, 512, 2), Block(512, 512, 1))
        self.fc = nn.Linear(512, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def prepare(memory_format, precision="float32"):
    model = ResNet18(len(weights["fc.bias"]))
    counters = {name: value for name, value in model.state_dict().items() if name.endswith("num_batches_tracked")}
    model.load_state_dict(weights | counters)
    model = model.to(config["device"], memory_format=memory_format)
    batch = images.to(memory_format=memory_format)
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=config["learning_rate"],
        momentum=config["momentum"],
        weight_decay=config["weight_decay"],
        fused=True,
    )
    losses = []

    def step():
        set_precision(precision)
        optimizer.zero_grad()
        with autocast(config["device"], precision):
            logits = model(batch)
        loss = F.cross_entropy(logits.float(), labels)
        loss.backward()
        optimizer.step()
        losses[:] = [loss.detach()]

    return step, lambda: losses


take_turns(
    {
        "PyTorch, contiguous": lambda: prepare(torch.contiguous_format),
        "PyTorch, channels last": lambda: prepare(torch.channels_last),
        "PyTorch, float32": lambda: prepare(torch.contiguous_format),
        "PyTorch, float32, channels last": lambda: prepare(torch.channels_last),
        "PyTorch, TF32": lambda: prepare(torch.channels_last, "TF32"),
        "PyTorch, mixed precision": lambda: prepare(torch.channels_last, "mixed precision"),
    }
)
