"""Networks that wait in main memory, on a GPU that holds the largest of them and not all: everything that
hangs on them works.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.loop.guidance_state import make_side_optimiser
from engine.prior.base import Prior
from engine.prior.memory_savings import load_within
from engine.prior.trainable_lora import adapter_on
from engine.prior.weights import elements_in
from tests.pretend_cuda.device import pretend_cuda
from tests.pretend_cuda.running import loaded, saved, settings_of, started
from tests.prior.lora.lora_files import TEXT_LAYERS, UNET_LAYERS, random_lora, write_lora

TINY = {"start": "ball", "render_size": 16, "splats": 100, "views_per_step": 1, "refine_steps": 2}


def waiting(family: str, pipelines: Path) -> Prior:
    """The prior as ``load_within`` gives it where half a byte more than its weights is free."""
    weights = elements_in(saved(family, pipelines))
    with pretend_cuda(free_bytes=int(2.1 * sum(weights.values()))):
        prior = load_within(
            lambda device: loaded(family, pipelines, device), weights, torch.device("cuda"), "auto"
        )
    assert prior.offload is not None and prior.device.type == "cuda"
    return prior


@pytest.mark.heavy
@pytest.mark.parametrize("method", ["sds", "lods", "lods_lora", "vsd"])
def test_methods_learn(gpu: None, pipelines: Path, tmp_path: Path, method: str) -> None:
    started(settings_of("sd15-splats", method=method, **TINY), waiting("sd", pipelines), tmp_path)


def test_an_optimiser_holds_the_adapter_on_the_device_through_every_move(gpu: None, pipelines: Path) -> None:
    prior = waiting("sd", pipelines)
    adapter = adapter_on(prior, 4, torch.Generator().manual_seed(0))
    optimiser = make_side_optimiser(adapter, 1e-3)
    for network in (prior.network, prior.parts.space.vae, prior.network):
        with adapter.active():
            prior.offload.invite(network)
    held = {id(parameter) for group in optimiser.param_groups for parameter in group["params"]}
    assert held == {id(parameter) for parameter in adapter.parameters()} and len(held) == 64
    assert all(parameter.is_cuda for parameter in adapter.parameters())


def test_a_style_file_is_worn(gpu: None, pipelines: Path, tmp_path: Path) -> None:
    plain = loaded("sd", pipelines, "cpu")
    unet, text = (
        random_lora(plain.network, UNET_LAYERS, 1),
        random_lora(plain.parts.networks["text_encoder"], TEXT_LAYERS, 2),
    )
    style = write_lora(tmp_path / "style.safetensors", "kohya", unet, text)
    started(
        settings_of("sd15-splats", style_file=str(style), method="lods_lora", **TINY),
        waiting("sd", pipelines),
        tmp_path,
    )
