"""Check a diffusers pipeline folder and load its parts one after the other, with errors that say which part
it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import nn

from engine.core.noise_schedule import NoiseSchedule, linear, scaled_linear, squared_cosine, zero_terminal_snr
from engine.errors import DeviceError, FileFormatError, MissingError, StudioError
from engine.prior.pipeline_folder import missing_files, parts_of, pipeline_class, read_json, variant_of
from engine.prior.prediction_type import check_prediction_type

REMEDY = "This model needs another loader."

Network: TypeAlias = Any
"""A network of diffusers or transformers: the entries of its config are attributes, of which its types say
nothing.
"""


@dataclass(frozen=True)
class Layout:
    """What a family's folder holds: the pipeline's class, and for each part how its class's name begins."""

    pipeline: str
    parts: Mapping[str, str]
    remedy: str  # which models have this layout

    def check(self, folder: Path, leave_out: Collection[str] = ()) -> None:
        """Raises MissingError for an incomplete folder, FileFormatError for one with another layout."""
        missing = missing_files(folder, leave_out)
        if missing:
            raise MissingError(
                f"{folder} lacks {', '.join(missing)}.", "Fetch the prior again; what is there is kept."
            )
        kind, parts = pipeline_class(folder), parts_of(folder, leave_out)
        wanted = {part: known for part, known in self.parts.items() if part not in leave_out}
        wrong = [
            parts.get(part, f"no {part}")
            for part, known in wanted.items()
            if not parts.get(part, "").startswith(known)
        ]
        if kind != self.pipeline or wrong:
            raise FileFormatError(
                f"{folder} holds a {' with '.join([kind, *wrong])}; "
                f"this loader takes a {self.pipeline} with {', '.join(wanted.values())}.",
                self.remedy,
            )

    def open(self, folder: Path, device: torch.device | str) -> PipelineFolder:
        """The pipeline in ``folder``, checked, with its schedule; its networks go to ``device``, in half
        precision on a GPU.

        Raises MissingError for an incomplete folder, FileFormatError for another kind of model or for files
        that cannot be read.
        """
        folder = Path(folder)
        self.check(folder)
        return PipelineFolder(folder, torch.device(device), *read_scheduler(folder))


@dataclass(frozen=True, eq=False)
class PipelineFolder:
    """A folder of a known layout, and what its scheduler says of the noise that its network was trained
    with.
    """

    folder: Path
    device: torch.device
    schedule: NoiseSchedule
    prediction_type: str


def dtype_for(
    folder: Path, part: str, device: torch.device, half: torch.dtype = torch.float16
) -> torch.dtype:
    """``half`` on a GPU, float32 on a CPU; a part whose config says ``force_upcast`` would overflow in half
    and stays full.
    """
    upcast = read_json(folder / part / "config.json").get("force_upcast", False)
    return half if device.type == "cuda" and not upcast else torch.float32


def half_for(device: torch.device) -> torch.dtype:
    """The half precision of models that overflow in float16: bfloat16 where the GPU computes with it."""
    native = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float16


def load_network(
    folder: Path,
    part: str,
    from_pretrained: Callable[..., Any],
    device: torch.device,
    half: torch.dtype = torch.float16,
) -> Any:
    """One network, frozen, on ``device``. Raises FileFormatError for weights that are damaged or incomplete,
    DeviceError.
    """
    with readable(folder, part):
        network, report = from_pretrained(
            folder / part,
            torch_dtype=dtype_for(folder, part, device, half),
            variant=variant_of(folder, part),
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
        if report["missing_keys"]:
            raise FileFormatError(
                f"The weights of {part} in {folder} lack {len(report['missing_keys'])} tensors, "
                f"among them {sorted(report['missing_keys'])[0]}.",
                _again(folder),
            )
        return _frozen(network).to(device)


def load_tokenizer(folder: Path, part: str, from_pretrained: Callable[..., Any]) -> Any:
    """A tokenizer; nothing is asked of the network."""
    with readable(folder, part):
        return from_pretrained(folder / part, local_files_only=True)


def check_channels(folder: Path, name: str, network: Network, vae: Network) -> None:
    """Raises FileFormatError for a network that takes more than the noisy latents."""
    takes, gives = network.config.in_channels, vae.config.latent_channels
    if takes != gives:
        raise FileFormatError(
            f"The {name} in {folder} takes {takes} channels and the vae gives {gives}: "
            "it is an inpainting, depth or editing model.",
            "Choose a plain text-to-image model.",
        )


def square_side(folder: Path, name: str, network: Network) -> int:
    """The latents' side that ``network`` was trained on; raises FileFormatError if it has none."""
    side = network.config.sample_size
    if not isinstance(side, int):
        raise FileFormatError(
            f"The {name} in {folder} has sample_size {side!r}; it must be one number.",
            "Choose a model for square pictures.",
        )
    return side


@contextmanager
def readable(folder: Path, part: str) -> Iterator[None]:
    """Say which part of which folder could not be read; libraries raise anything from OSError to their own
    classes here.
    """
    try:
        yield
    except StudioError:
        raise
    except torch.OutOfMemoryError as error:
        raise DeviceError(
            f"{part} of {folder} does not fit into the GPU's memory.",
            "Close other programs that use it, or choose a smaller prior.",
        ) from error
    except Exception as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise FileFormatError(f"{part} in {folder} cannot be read: {reason}.", _again(folder)) from error


def _frozen(network: nn.Module) -> nn.Module:
    return network.eval().requires_grad_(False)


def _again(folder: Path) -> str:
    return f"Delete {folder} and fetch the prior again."


def read_scheduler(folder: Path) -> tuple[NoiseSchedule, str]:
    """The training schedule and the prediction type of the pipeline in ``folder``; which sampler it names
    does not matter.
    """
    path = folder / "scheduler" / "scheduler_config.json"
    config = read_json(path)
    prediction_type = check_prediction_type(config.get("prediction_type", "epsilon"), str(path))
    try:
        return schedule_from(config), prediction_type
    except (TypeError, ValueError, AssertionError, RuntimeError) as error:
        raise FileFormatError(f"{path} describes no noise schedule: {error}.", REMEDY) from error


def schedule_from(config: Mapping[str, Any]) -> NoiseSchedule:
    """``alphas_cumprod`` from ``trained_betas`` or from ``beta_schedule``; raises ValueError for one that is
    not known.
    """
    schedule = _unscaled(config)
    return zero_terminal_snr(schedule) if config.get("rescale_betas_zero_snr") else schedule


def _unscaled(config: Mapping[str, Any]) -> NoiseSchedule:
    steps = int(config.get("num_train_timesteps", 1000))
    start, end = float(config.get("beta_start", 1e-4)), float(config.get("beta_end", 0.02))
    kind = config.get("beta_schedule", "linear")
    if config.get("trained_betas") is not None:
        return NoiseSchedule((1 - torch.tensor(config["trained_betas"], dtype=torch.float64)).cumprod(0))
    if kind == "scaled_linear":
        return scaled_linear(steps, start, end)
    if kind == "linear":
        return linear(steps, start, end)
    if kind == "squaredcos_cap_v2":
        return squared_cosine(steps)
    raise ValueError(f"beta_schedule {kind!r} is none of scaled_linear, linear, squaredcos_cap_v2")
