"""Networks by name: the chapter's, and the literature's with the sizes that torchvision publishes counts of."""

from __future__ import annotations

from collections.abc import Callable

from engine.architectures.graph import Network
from engine.architectures.library.dense import densenet121
from engine.architectures.library.inception import googlenet
from engine.architectures.library.mobile import efficientnet_b0
from engine.architectures.library.plain import alexnet, chapter_cnn, lenet5, mlp, vgg16
from engine.architectures.library.residual import resnet18, resnet50, resnext50_32x4d
from engine.architectures.library.transformer import transformer_encoder

LIBRARY: dict[str, Callable[[], Network]] = {
    "chapter_cnn": chapter_cnn, "mlp": mlp, "lenet5": lenet5, "alexnet": alexnet, "vgg16": vgg16,
    "googlenet": googlenet, "resnet18": resnet18, "resnet50": resnet50, "resnext50_32x4d": resnext50_32x4d,
    "densenet121": densenet121, "efficientnet_b0": efficientnet_b0, "transformer_encoder": transformer_encoder,
}  # fmt: skip
TITLES: dict[str, str] = {
    "chapter_cnn": "The chapter's CNN", "mlp": "MLP", "lenet5": "LeNet-5", "alexnet": "AlexNet", "vgg16": "VGG-16",
    "googlenet": "GoogLeNet", "resnet18": "ResNet-18", "resnet50": "ResNet-50", "resnext50_32x4d": "ResNeXt-50 32×4d",
    "densenet121": "DenseNet-121", "efficientnet_b0": "EfficientNet-B0",
    "transformer_encoder": "Transformer encoder block",
}  # fmt: skip
