"""What this machine computes with."""

from __future__ import annotations

import os
from importlib.metadata import version

import psutil

from engine.lazy import torch


def cuda_name() -> str | None:
    """The name of the GPU, or None without one. A build of torch for CPUs alone is not even imported to
    know.
    """
    if version("torch").endswith("+cpu"):
        return None
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


def compiler_to_add() -> str:
    """The command that adds the compiler of the CUDA version that torch was built with."""
    from engine.render.kernels import compiler_command  # imports torch, and only a machine with a GPU asks

    return compiler_command(torch.version.cuda)


def free_memory() -> int:
    """Bytes that a scene may still take where it is drawn: on the GPU if there is one."""
    return psutil.virtual_memory().available if cuda_name() is None else torch.cuda.mem_get_info()[0]


def torch_threads() -> int:
    """Threads that torch may use: one unless ``OMP_NUM_THREADS`` says otherwise.

    On a busy machine a second OpenMP thread makes small networks several times slower, because each operation
    waits for it.
    """
    threads = os.environ.get("OMP_NUM_THREADS", "")
    return int(threads) if threads.isdigit() and int(threads) > 0 else 1


def limit_threads() -> None:
    """Apply ``torch_threads`` to this process."""
    torch.set_num_threads(torch_threads())


def device_name(device: torch.device) -> str:
    """How a result says what it was computed on: "cpu", or the GPU's name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
