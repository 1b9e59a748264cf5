"""Weights as others write them: the published SRGAN generator, and files of small denoisers."""

import json

from safetensors.torch import save_file
from torch import nn

from npe_core.models.denoiser import Denoiser, DenoiserConfig


class PublishedSrgan(nn.Module):
    """The SRGAN generator as the common PyTorch implementation writes it, batch normalisation and all."""

    def __init__(self, blocks):
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(3, 64, 9, 1, 4), nn.PReLU())
        self.res_blocks = nn.Sequential(*[PublishedBlock() for _ in range(blocks)])
        self.conv2 = nn.Sequential(nn.Conv2d(64, 64, 3, 1, 1), nn.BatchNorm2d(64, 0.8))
        layers = []
        for _ in range(2):
            layers += [nn.Conv2d(64, 256, 3, 1, 1), nn.BatchNorm2d(256), nn.PixelShuffle(2), nn.PReLU()]
        self.upsampling = nn.Sequential(*layers)
        self.conv3 = nn.Sequential(nn.Conv2d(64, 3, 9, 1, 4), nn.Tanh())

    def forward(self, x):
        first = self.conv1(x)
        return self.conv3(self.upsampling(first + self.conv2(self.res_blocks(first))))


class PublishedBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.Conv2d(64, 64, 3, 1, 1),
            nn.BatchNorm2d(64, 0.8),
            nn.PReLU(),
            nn.Conv2d(64, 64, 3, 1, 1),
            nn.BatchNorm2d(64, 0.8),
        )

    def forward(self, x):
        return x + self.conv_block(x)


def denoiser_of_side(side, path, prior=0):
    """A file of a small denoiser that makes pictures of that side."""
    config = {"image_size": side, "base": 8, "mults": [1], "attention": [], "prior": prior}
    state = Denoiser(DenoiserConfig(image_size=side, base=8, mults=(1,), attention=(), prior=prior)).state_dict()
    save_file(state, str(path), metadata={"config": json.dumps(config)})
    return path
