"""The words of a training command, with settings of models that train in milliseconds."""

DENOISER = ["image_size=16", "base=8", "mults=1,2", "attention=4,", "head_width=8"]
SEGMENTER = ["image_size=32", "patch=2", "base=4", "mults=1,2"]


def config(words):
    return [part for word in words for part in ("--config", word)]


def diffusion_words(data, out, *more):
    return [
        "diffusion",
        "--data",
        f"{data}=2",
        "--out",
        str(out),
        "--batch",
        "2",
        "--device",
        "cpu",
        *config(DENOISER),
        *more,
    ]
