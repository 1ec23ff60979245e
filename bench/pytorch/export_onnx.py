"""python export_onnx.py FOLDER: networks of torchvision and a small one as ONNX files by both exporters, with and without their
batch normalisation folded into the convolutions, and for each an input and PyTorch's output: NAME.json."""
import json
import sys
import warnings

import torch
import torch.nn.functional as F
import torchvision
from torch import nn

warnings.filterwarnings("ignore")
folder = sys.argv[1]
torch.manual_seed(0)


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 8, 5), nn.Conv2d(8, 6, 5)
        self.fc1, self.fc2 = nn.Linear(96, 20), nn.Linear(20, 10)
        self.drop = nn.Dropout(0.2)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = self.drop(F.max_pool2d(torch.tanh(self.conv2(x)), 2))
        return self.fc2(F.gelu(self.fc1(x.view(x.size(0), -1))))


def randomize(net):
    """Batch normalisation that is not the identity."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.7, 1.4)
            module.weight.data.uniform_(0.7, 1.3)
            module.bias.data.normal_(0, 0.1)


models = torchvision.models
networks = {
    "small": (Small(), (1, 28, 28)),
    "resnet18": (models.resnet18(), (3, 64, 64)),
    "vgg11_bn": (models.vgg11_bn(), (3, 224, 224)),
    "mobilenet_v2": (models.mobilenet_v2(), (3, 64, 64)),
    "densenet121": (models.densenet121(), (3, 64, 64)),
}
exports = {
    "torchscript": dict(dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False),
    "torchscript-folded": dict(dynamo=False),
    "dynamo": dict(dynamo=True, optimize=False, verbose=False),
    "dynamo-folded": dict(dynamo=True, verbose=False),
}
for name, (net, shape) in networks.items():
    randomize(net)
    net.eval()
    x = torch.randn(2, *shape)
    with torch.no_grad():
        y = net(x)
    images = x.permute(0, 2, 3, 1)
    with open(f"{folder}/{name}.json", "w") as file:
        json.dump({"shape": list(images.shape), "images": images.flatten().tolist(), "logits": y.flatten().tolist()}, file)
    for export, options in exports.items():
        torch.onnx.export(net, (x[:1],), f"{folder}/{name}.{export}.onnx", **options)
