"""What a person must install for gsplat's and nerfacc's CUDA kernels: the compiler that builds them at first use.

Both libraries offer wheels with kernels inside, but none for a torch that this project runs on: gsplat's index has torch 2.0 to
2.4 for Python 3.10 (docs.gsplat.studio/whl/gsplat; issues 821 and 849 of nerfstudio-project/gsplat ask for more), nerfacc's torch
1.11 to 2.0 (README of nerfstudio-project/nerfacc). Torch's own CUDA wheels come without nvcc.
"""

from __future__ import annotations

import re

NEWEST_WHEELS = {"gsplat": (2, 4), "nerfacc": (2, 0)}


def compiler_command(cuda: str | None) -> str:
    """The command that adds nvcc of torch's CUDA version, such as "12.8"; it needs no administrator."""
    return f"conda install -c nvidia cuda-toolkit{f'={cuda}' if cuda else ''}"


def kernel_remedy(package: str, torch_version: str, cuda: str | None) -> str:
    """What to do where ``package`` has no kernels for this torch and there is no compiler."""
    newest = NEWEST_WHEELS[package]
    found = tuple(int(part) for part in re.findall(r"\d+", torch_version)[:2])
    wheel = "" if found <= newest else f" Its prebuilt wheels end at torch {newest[0]}.{newest[1]}, and this is {torch_version}."
    return f"Install the CUDA compiler of torch's version: {compiler_command(cuda)}.{wheel}"
