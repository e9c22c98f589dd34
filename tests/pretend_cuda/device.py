"""A pretend CUDA device: its tensors compute on the CPU, say that they lie on cuda:0, and obey the rules of a
GPU.

``CudaTensor`` wraps a CPU tensor, and every operation of torch that meets one goes through ``_compute``. It
raises what torch raises where tensors of two devices meet, where a CPU generator draws for the GPU, and where
numpy reads GPU memory. To torch's own C++ it is a CPU tensor, for a build without CUDA refuses gradients of
any other. Not told apart from a real GPU: speed, memory, autocast, which device a formula of torch's own
backward uses, and rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

CUDA, CPU = torch.device("cuda", 0), torch.device("cpu")
GB = 2**30
NO_NUMBERS = {
    "cat", "stack", "index_select", "index_add", "gather", "scatter", "scatter_add", "convolution", "mm",
    "bmm", "addmm",
    "baddbmm", "embedding", "grid_sampler_2d", "searchsorted", "native_layer_norm", "native_group_norm",
}  # fmt: skip
"""Kernels that take no 0-dimensional CPU tensor beside CUDA ones; where torch goes over elements, such a
tensor is a number.
"""
TAKES_CPU_INDICES = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index"}


class CudaTensor(torch.Tensor):
    """A tensor on the pretend GPU; ``memory`` is the CPU tensor that holds its numbers."""

    memory: torch.Tensor
    device = property(lambda self: CUDA)
    is_cuda = property(lambda self: True)
    is_cpu = property(lambda self: False)

    @staticmethod
    def __new__(cls, memory: torch.Tensor) -> CudaTensor:
        layout = {
            "strides": memory.stride(),
            "storage_offset": memory.storage_offset(),
            "layout": memory.layout,
        }
        made = torch.Tensor._make_wrapper_subclass(
            cls, memory.size(), dtype=memory.dtype, device=CPU, **layout
        )
        made.memory = memory
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return _compute(func, args, kwargs or {})

    def to(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        return _moved(self, *args, **kwargs)

    def cpu(self, *_: Any, **__: Any) -> torch.Tensor:
        return _moved(self, CPU)

    def cuda(self, *_: Any, **__: Any) -> torch.Tensor:
        return self

    def get_device(self) -> int:
        return 0

    def type_as(self, other: torch.Tensor) -> torch.Tensor:
        return _moved(self, other)

    def new_tensor(self, data: Any, **kwargs: Any) -> torch.Tensor:
        place = kwargs.pop("device", CUDA)
        return _moved(torch.tensor(data, **{"dtype": self.dtype, **kwargs}), place)

    def tolist(self) -> Any:
        return self.memory.tolist()

    def numpy(self, **_: Any) -> Any:
        raise TypeError(
            "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
            "memory first."
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.numpy()

    def __repr__(self, **_: Any) -> str:
        return f"CudaTensor({tuple(self.shape)}, {self.dtype})"

    def __deepcopy__(self, memo: dict) -> CudaTensor:
        if id(self) not in memo:
            memo[id(self)] = copied = self.detach().clone().requires_grad_(self.requires_grad)
            if getattr(self, "_is_param", False):
                copied._is_param = True
        return memo[id(self)]

    def __reduce_ex__(self, protocol: int) -> Any:
        """Saved as what a checkpoint gives back where everything is mapped to the CPU."""
        return self.detach().memory.clone().__reduce_ex__(protocol)


class Driver(TorchFunctionMode):
    """Moves that begin at a CPU tensor, and tensors made from numbers: torch asks its build for a GPU
    there.
    """

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.Tensor.to:
            return _moved(*args, **kwargs)
        if func is torch.Tensor.cuda:
            return _moved(args[0], CUDA)
        if func is torch.Tensor.type_as:
            return _moved(args[0], args[1])
        if func in (torch.tensor, torch.as_tensor, torch.asarray) and not (
            args and isinstance(args[0], CudaTensor)
        ):
            place = kwargs.pop("device", None)
            made = func(*args, **kwargs)
            return made if place is None else _moved(made, place)
        return func(*args, **kwargs)


class Factories(TorchDispatchMode):
    """Calls without a tensor of the GPU that make one there: ``torch.zeros(3, device="cuda")``."""

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return _compute(func, args, kwargs or {})


class _Move(torch.autograd.Function):
    """A copy on the other device, whose gradient comes back to the first."""

    @staticmethod
    def forward(ctx: Any, tensor: torch.Tensor) -> torch.Tensor:
        return (
            tensor.memory.clone() if isinstance(tensor, CudaTensor) else CudaTensor(tensor.detach().clone())
        )

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return _Move.apply(gradient)


class _Kernel(torch.autograd.Function):
    """A function of CPU tensors as one kernel of the GPU."""

    @staticmethod
    def forward(
        ctx: Any, function: Callable[..., tuple[torch.Tensor, ...]], *tensors: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        assert all(isinstance(tensor, CudaTensor) for tensor in tensors), (
            "a kernel reads the GPU's memory alone"
        )
        with _disable_current_modes(), torch.enable_grad():
            ctx.read = [
                tensor.memory.detach().requires_grad_(needed)
                for tensor, needed in zip(tensors, ctx.needs_input_grad[1:], strict=True)
            ]
            ctx.out = function(*ctx.read)
        return tuple(CudaTensor(part.detach()) for part in ctx.out)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        asked = [part for part in ctx.read if part.requires_grad]
        out = [
            (part, _plain(gradient))
            for part, gradient in zip(ctx.out, gradients, strict=True)
            if part.requires_grad
        ]
        with _disable_current_modes():
            found = iter(
                torch.autograd.grad(
                    [part for part, _ in out],
                    asked,
                    [gradient for _, gradient in out],
                    allow_unused=True,
                    materialize_grads=True,
                )
            )
        return None, *(CudaTensor(next(found)) if part.requires_grad else None for part in ctx.read)


def kernel(
    function: Callable[..., tuple[torch.Tensor, ...]], *tensors: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """``function`` of tensors on the GPU, computed at a stroke; differentiable once."""
    return _Kernel.apply(function, *tensors)


def _moved(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    """``tensor.to(...)`` with any of its arguments."""
    copy = kwargs.pop("copy", False)
    other = args[0] if args and isinstance(args[0], torch.Tensor) else kwargs.pop("other", None)
    if other is not None:
        place, dtype, memory_format = other.device, other.dtype, None
    else:
        place, dtype, _, memory_format = torch._C._nn._parse_to(*args, **kwargs)
    if (
        place is not None
        and (place.type == "cuda") != isinstance(tensor, CudaTensor)
        and place.type in ("cuda", "cpu")
    ):
        tensor, place, copy = _Move.apply(tensor), None, False
    options = {"dtype": dtype or tensor.dtype, "copy": copy}
    if memory_format is not None:
        options["memory_format"] = memory_format
    if place is not None and place.type not in ("cuda", "cpu"):
        options["device"] = place
    with torch._C.DisableTorchFunctionSubclass(), torch._C.DisableTorchFunction():
        return torch.Tensor.to(tensor, **options)


def _compute(func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """What the operation ``func`` gives on a machine with a GPU, computed on the CPU."""
    name = func.overloadpacket.__name__
    if name == "_fused_sdp_choice":
        return 0  # attention by its definition: a GPU has other fused kernels
    leaves = tuple(_leaves((*args, *kwargs.values())))
    tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
    wanted = None if kwargs.get("device") is None else torch.device(kwargs["device"])
    there = any(isinstance(tensor, CudaTensor) for tensor in tensors)
    on_gpu = there or (wanted is not None and wanted.type == "cuda")
    # there C++ makes zeros of its own, on what it takes for a CPU
    backward = torch._C._current_graph_task_id() != -1
    if there and not backward and name != "copy_":
        _check_one_device(name, args, tensors)
    generator = next((leaf for leaf in leaves if isinstance(leaf, torch.Generator)), None)
    _check_generator(generator, "cuda" if on_gpu else "cpu", name)
    if not on_gpu:
        return func(*args, **kwargs)
    plain_args, plain = _plain(args), {key: _plain(value) for key, value in kwargs.items()}
    if wanted is not None and wanted.type == "cuda":
        plain = {**plain, "device": CPU}
    out = func(*plain_args, **plain)
    written = _written(func, args, kwargs)
    return _on_gpu(out) if written is None else written


def _leaves(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _leaves(value)
        else:
            yield value


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    return value.memory if isinstance(value, CudaTensor) else value


def _on_gpu(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_on_gpu, value))
    return CudaTensor(value) if isinstance(value, torch.Tensor) else value


def _written(func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """What an operation in place returns: the very tensors that it wrote to. None for all others."""
    returns = [value.alias_info for value in func._schema.returns]
    if not returns or not all(alias is not None and alias.is_write for alias in returns):
        return None
    given = [
        args[i] if i < len(args) else kwargs.get(argument.name)
        for i, argument in enumerate(func._schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    ]
    return given[0] if len(given) == 1 else tuple(given)


def _check_one_device(name: str, args: tuple, tensors: list[torch.Tensor]) -> None:
    """Raises RuntimeError where CPU tensors stand beside those of the GPU, numbers aside."""
    here = [tensor for tensor in tensors if not isinstance(tensor, CudaTensor)]
    if name in TAKES_CPU_INDICES and isinstance(args[0], CudaTensor):
        here = [
            value
            for value in args[2:3]
            if isinstance(value, torch.Tensor) and not isinstance(value, CudaTensor)
        ]
    if any(tensor.dim() > 0 or name in NO_NUMBERS for tensor in here):
        shapes = [tuple(tensor.shape) for tensor in tensors]
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found cuda:0 and cpu in {name}, shapes "
            f"{shapes}"
        )


def _check_generator(generator: torch.Generator | None, place: str, name: str) -> None:
    if generator is not None and generator.device.type != place:
        raise RuntimeError(
            f"Expected a '{place}' device type for generator but found '{generator.device.type}' in {name}"
        )


@contextmanager
def pretend_cuda(free_bytes: int = 24 * GB) -> Iterator[None]:
    """Inside, this machine has one GPU with ``free_bytes`` of memory."""
    properties = SimpleNamespace(total_memory=24 * GB, name="Pretend GPU", major=9, minor=0)
    answers = {
        "is_available": True, "device_count": 1, "current_device": 0, "_lazy_init": None,
        "is_bf16_supported": True,
        "get_device_name": properties.name, "get_device_properties": properties,
        "get_device_capability": (9, 0),
        "mem_get_info": (free_bytes, 24 * GB), "memory_reserved": 0, "memory_allocated": 0,
        "max_memory_allocated": 0,
        "reset_peak_memory_stats": None, "empty_cache": None, "synchronize": None,
        "get_rng_state": torch.zeros(16, dtype=torch.uint8), "set_rng_state": None, "manual_seed_all": None,
    }  # fmt: skip
    before = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    said = {name: (lambda *_, answer=answer, **__: answer) for name, answer in answers.items()}
    try:
        with patch.multiple(torch.cuda, **said), Driver(), Factories():
            yield
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(before)
