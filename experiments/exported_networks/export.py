"""Exports torchvision's networks and three small sequence models with random weights as ONNX.

Usage: /usr/bin/python3 export.py FOLDER [NAME…]      (Debian: python3-torch python3-torchvision python3-onnx)
"""
import sys

import torch
import torchvision


class Sequence(torch.nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.cell = cell(32, 64, num_layers=2, bidirectional=True, batch_first=True)
        self.head = torch.nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])


def encoder():
    layer = torch.nn.TransformerEncoderLayer(64, 4, 128, batch_first=True, activation="gelu")
    return torch.nn.TransformerEncoder(layer, 2)


IMAGE = (1, 3, 224, 224)
MODELS = {
    "resnet18": (lambda: torchvision.models.resnet18(), IMAGE),
    "mobilenet_v2": (lambda: torchvision.models.mobilenet_v2(), IMAGE),
    "mobilenet_v3_small": (lambda: torchvision.models.mobilenet_v3_small(), IMAGE),
    "squeezenet1_1": (lambda: torchvision.models.squeezenet1_1(), IMAGE),
    "efficientnet_b0": (lambda: torchvision.models.efficientnet_b0(), IMAGE),
    "densenet121": (lambda: torchvision.models.densenet121(), IMAGE),
    "shufflenet_v2_x1_0": (lambda: torchvision.models.shufflenet_v2_x1_0(), IMAGE),
    "googlenet": (lambda: torchvision.models.googlenet(aux_logits=False, init_weights=False), IMAGE),
    "vgg11": (lambda: torchvision.models.vgg11(), IMAGE),
    "lstm": (lambda: Sequence(torch.nn.LSTM), (1, 12, 32)),
    "gru": (lambda: Sequence(torch.nn.GRU), (1, 12, 32)),
    "encoder": (encoder, (1, 16, 64)),
}


def main():
    folder, names = sys.argv[1], sys.argv[2:] or list(MODELS)
    for name in names:
        torch.manual_seed(0)
        build, shape = MODELS[name]
        model = build().eval()
        torch.onnx.export(model, torch.randn(shape), f"{folder}/{name}.onnx", opset_version=14, input_names=["x"],
                          output_names=["y"], dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}})
        print(name, flush=True)


main()
