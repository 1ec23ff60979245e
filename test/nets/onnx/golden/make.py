"""python make.py: narrow networks as PyTorch exports them to ONNX, by both exporters, with and without their batch normalisation folded into the
convolutions; for each two images (channels last) and PyTorch's outputs. Made with torch 2.15.0, torchvision 0.29.2, onnx 1.23.2."""
import json
import os
import warnings

import onnx
import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torchvision.models.densenet import DenseNet
from torchvision.models.resnet import BasicBlock, ResNet

warnings.filterwarnings("ignore")
torch.manual_seed(0)
os.chdir(os.path.dirname(os.path.abspath(__file__)))


class Small(nn.Module):
    """A view with a computed size, functions between modules, a softmax at the end."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 5), nn.Conv2d(4, 3, 5, dilation=2, bias=False)
        self.fc1, self.fc2 = nn.Linear(12, 7), nn.Linear(7, 5)
        self.drop = nn.Dropout(0.2)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = self.drop(F.max_pool2d(torch.tanh(self.conv2(x)), 2))
        x = F.gelu(self.fc1(x.view(x.size(0), -1)))
        return F.log_softmax(self.fc2(x), dim=1)


class Mixed(nn.Module):
    """Side branches, grouped convolutions, layer normalisation and the rarer functions; a dense layer as a product and a sum."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6, eps=1e-3), nn.LeakyReLU(0.2))
        self.one, self.two = nn.Conv2d(6, 4, 1), nn.Conv2d(6, 6, 3, padding=1, groups=3)
        self.norm = nn.LayerNorm(10)
        self.head = nn.Parameter(torch.randn(10, 4) * 0.3)
        self.bias = nn.Parameter(torch.randn(4))

    def forward(self, x):
        x = self.stem(x)
        x = torch.cat([F.silu(self.one(x)), F.hardswish(self.two(x))], 1)
        x = F.elu(F.avg_pool2d(x, 3, 2, 1)) + F.avg_pool2d(x, 3, 2, 1)
        x = self.norm(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))
        return x @ self.head + self.bias


def vgg():
    features = torchvision.models.vgg.make_layers([4, "M", 6, "M"], batch_norm=True)
    return nn.Sequential(features, nn.Flatten(), nn.Linear(6 * 16, 9), nn.ReLU(True), nn.Dropout(), nn.Linear(9, 4))


def resnet():
    net = ResNet(BasicBlock, [1, 1, 1, 1], num_classes=5)
    for module in net.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.Conv2d):
                kinds = dict(kernel_size=child.kernel_size, stride=child.stride, padding=child.padding, bias=False)
                setattr(module, name, nn.Conv2d(max(3 if child.in_channels == 3 else 0, child.in_channels // 32 or 3), child.out_channels // 32, **kinds))
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.BatchNorm2d(child.num_features // 32))
    net.fc = nn.Linear(16, 5)
    return net


def mobilenet():
    settings = [[1, 8, 1, 1], [2, 8, 2, 2]]
    net = torchvision.models.MobileNetV2(num_classes=4, inverted_residual_setting=settings, width_mult=0.5)
    net.features[-1] = torchvision.models.mobilenetv2.Conv2dNormActivation(8, 12, kernel_size=1, activation_layer=nn.ReLU6)
    net.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(12, 4))
    return net


def strip(path):
    """Without the lines of Python that the newer exporter notes for every node."""
    model = onnx.load(path, load_external_data=False)
    for part in [model.graph, *model.graph.node, *model.graph.input, *model.graph.output]:
        kept = [entry for entry in part.metadata_props if entry.key == "pkg.torch.onnx.name_scopes"]
        del part.metadata_props[:]
        part.metadata_props.extend(kept)
    del model.graph.value_info[:]
    with open(path, "wb") as file:
        file.write(model.SerializeToString())


networks = {
    "small": (Small(), (1, 30, 30)),
    "mixed": (Mixed(), (3, 9, 11)),
    "vgg": (vgg(), (3, 16, 16)),
    "resnet": (resnet(), (3, 32, 32)),
    "mobilenet": (mobilenet(), (3, 16, 16)),
    "densenet": (DenseNet(4, (2, 3), 6, bn_size=2, num_classes=5), (3, 32, 32)),
}
exports = {
    "torchscript": dict(dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False),
    "torchscript-folded": dict(dynamo=False),
    "dynamo": dict(dynamo=True, optimize=False, verbose=False, external_data=False),
    "dynamo-folded": dict(dynamo=True, verbose=False, external_data=False),
}
for name, (net, shape) in networks.items():
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.7, 1.4)
            module.weight.data.uniform_(0.7, 1.3)
            module.bias.data.normal_(0, 0.1)
    net.eval()
    x = torch.randn(2, *shape)
    state = [[key, list(value.shape)] for key, value in net.state_dict().items() if "num_batches" not in key]
    images = [round(value, 4) for value in x.permute(0, 2, 3, 1).flatten().tolist()]
    with torch.no_grad():
        rounded = torch.tensor(images).reshape(2, *shape[1:], shape[0]).permute(0, 3, 1, 2)
        y = net(torch.empty_like(x).copy_(rounded))
    with open(f"{name}.json", "w") as file:
        json.dump({"shape": [2, *shape[1:], shape[0]], "images": images, "outputs": y.flatten().tolist(), "state": state}, file)
    for export, options in exports.items():
        torch.onnx.export(net, (x[:1],), f"{name}.{export}.onnx", **options)
        strip(f"{name}.{export}.onnx")

# One with its large tensors in a file of their own, as the exporter does by default.
torch.onnx.export(networks["small"][0], (torch.randn(1, 1, 30, 30),), "outside.onnx", dynamo=True, optimize=False, verbose=False)
strip("outside.onnx")


class Refused(nn.Module):
    def __init__(self, f):
        super().__init__()
        self.conv, self.gate, self.f = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 1), f

    def forward(self, x):
        return self.f(self.conv(x), self.gate).mean((2, 3))


for name, f in {
    "softplus": lambda x, gate: F.softplus(x),
    "transposed": lambda x, gate: x.transpose(2, 3),
    "scaled": lambda x, gate: x * 2.0,
    "gated": lambda x, gate: x * torch.sigmoid(gate(x)),
    "shared": lambda x, gate: gate(torch.relu(gate(x))),
    "oblong": lambda x, gate: F.max_pool2d(x, (2, 1)),
    "ceiled": lambda x, gate: F.max_pool2d(x, 2, ceil_mode=True),
    "shifted": lambda x, gate: F.relu(x + 1.0),
}.items():
    torch.onnx.export(Refused(f), (torch.randn(1, 1, 7, 7),), f"refused-{name}.onnx", dynamo=False, do_constant_folding=False)
net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten())
torch.onnx.export(net, (torch.randn(1, 1, 7, 7),), "refused-dynamic.onnx", dynamo=False, input_names=["x"], dynamic_axes={"x": {2: "height"}})
