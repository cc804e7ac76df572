"""The expected result of sending or reducing a tensor, computed without the codecs."""

import torch

from jouleproof.formats import FORMATS, fake_quantize
from jouleproof.studies.mx.wire_rank import codecs

OWN = "tests.extension_example.formats:FORMAT"
CODECS = codecs([*FORMATS, OWN])


def random_tensor(shape, seed):
    """Return a random tensor with magnitudes over many binades, so that shared scales matter."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator) * torch.exp2(4 * torch.randn(shape, generator=generator))


def cast(x, name):
    """Return the tensor that arrives when x is sent in the format `name`, computed without the codecs."""
    if name == "float32":
        return x
    if name == "bfloat16":
        return x.to(torch.bfloat16).to(torch.float32)
    return fake_quantize(x, CODECS[name].fmt) if len(x) else x


def sum_as_described(tensors, name):
    """Return each owner's part: its addend plus the others' casts, from the previous rank backwards, cast once more."""
    world, parts = len(tensors), []
    for owner in range(world):
        start, end = (len(tensors[0]) * bound // world for bound in (owner, owner + 1))
        total = tensors[owner][start:end]
        for step in range(1, world):
            total = total + cast(tensors[(owner - step) % world][start:end].contiguous(), name)
        parts.append(cast(total, name))
    return torch.cat(parts)
