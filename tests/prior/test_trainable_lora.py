"""Adapters on the networks that there are: they begin as nothing, learn apart, and leave no trace."""

from __future__ import annotations

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from engine.prior.abilities import ADAPTER_STARTS
from engine.prior.toybox.network import ToyboxDenoiser
from engine.prior.toybox.poses import Poses
from engine.prior.toybox.text_encoder import Words
from engine.prior.trainable_lora import Adapter


def toybox(seed: int) -> tuple[nn.Module, dict[str, Tensor]]:
    """A small toybox network that is not silent, and something to ask it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = ToyboxDenoiser(width=24, depth=2, heads=2, fine=8, middle=8, last=4, words=8, length=4)
        for parameter in net.parameters():
            nn.init.normal_(parameter, std=0.2)
        words = Words(torch.randn(1, 4, 24), torch.ones(1, 4, dtype=torch.bool), torch.randn(1, 24))
        poses = Poses(
            torch.eye(4).expand(1, 2, 4, 4), torch.randn(1, 2, 64, 6), torch.ones(1, dtype=torch.bool)
        )
        x, t, clean = (
            torch.randn(1, 2, 4, 64, 64),
            torch.full((1, 2), 0.5),
            torch.zeros(1, 2, dtype=torch.bool),
        )
        return net.eval().requires_grad_(False), {
            "x": x,
            "t": t,
            "words": words,
            "poses": poses,
            "clean": clean,
        }


def unet(seed: int) -> tuple[nn.Module, dict[str, Tensor]]:
    """A small network of Stable Diffusion's kind."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        blocks = {"down_block_types": ("CrossAttnDownBlock2D",), "up_block_types": ("CrossAttnUpBlock2D",)}
        net = UNet2DConditionModel(
            block_out_channels=(8,),
            layers_per_block=1,
            norm_num_groups=4,
            cross_attention_dim=12,
            attention_head_dim=4,
            **blocks,
        )
        words, t = torch.randn(2, 5, 12), torch.tensor([10, 600])
        asked = {"sample": torch.randn(2, 4, 8, 8), "timestep": t, "encoder_hidden_states": words}
        return net.eval().requires_grad_(False), asked


def answer(net: nn.Module, asked: dict[str, Tensor], adapter: Adapter) -> Tensor:
    """With the adapter, and with gradients."""
    with adapter.active():
        found = net(**asked)
    return found if isinstance(found, Tensor) else found.sample


@torch.no_grad()
def spoken(net: nn.Module, asked: dict[str, Tensor], adapter: Adapter) -> Tensor:
    return answer(net, asked, adapter)


@torch.no_grad()
def ask(net: nn.Module, asked: dict[str, Tensor]) -> Tensor:
    """Without any adapter."""
    found = net(**asked)
    return found if isinstance(found, Tensor) else found.sample


def new(net: nn.Module, seed: int = 0, scale: float = 1.0) -> Adapter:
    return Adapter(net, 4, torch.Generator().manual_seed(seed), scale)


def train(net: nn.Module, asked: dict[str, Tensor], adapter: Adapter, steps: int = 3) -> None:
    optimiser = torch.optim.Adam(adapter.parameters(), lr=0.05)
    for _ in range(steps):
        optimiser.zero_grad()
        answer(net, asked, adapter).square().mean().backward()
        optimiser.step()


every_network = pytest.mark.parametrize("make", [toybox, unet])


@every_network
def test_a_new_adapter_answers_as_the_network_to_the_bit(make) -> None:
    net, asked = make(1)
    before, names = ask(net, asked), list(net.state_dict())
    adapter = new(net)
    assert torch.equal(spoken(net, asked, adapter), before) and torch.equal(ask(net, asked), before)
    assert list(net.state_dict()) == names and before.abs().mean() > 1e-3


@every_network
def test_training_changes_the_adapter_alone(make) -> None:
    net, asked = make(1)
    before, weights = ask(net, asked), {name: value.clone() for name, value in net.state_dict().items()}
    adapter = new(net)
    train(net, asked, adapter)
    assert not torch.allclose(spoken(net, asked, adapter), before)
    assert torch.equal(ask(net, asked), before)
    assert all(torch.equal(value, weights[name]) for name, value in net.state_dict().items())
    assert not any(parameter.requires_grad for parameter in net.parameters())


@every_network
def test_every_part_of_it_learns(make) -> None:
    net, asked = make(1)
    adapter = new(net)
    train(net, asked, adapter, steps=1)
    answer(net, asked, adapter).square().mean().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in adapter.parameters())


def test_toybox_has_three_layers_a_block() -> None:
    """Queries, keys and values together, those of the words, and the output: rank (inputs + outputs) numbers
    each.
    """
    net, _ = toybox(1)
    adapter = new(net)
    assert len(adapter.down) == 3 * len(net.blocks)
    assert sum(parameter.numel() for parameter in adapter.parameters()) == 4 * 2 * (
        24 + 72 + 24 + 48 + 24 + 24
    )


def test_stable_diffusion_has_eight_layers_a_block() -> None:
    """Queries, keys, values and output of self- and cross-attention: 56 d + 8 D numbers at rank 4."""
    net, _ = unet(1)
    blocks = sum(type(module).__name__ == "BasicTransformerBlock" for module in net.modules())
    adapter = new(net)
    assert blocks == 4 and len(adapter.down) == 8 * blocks
    assert sum(parameter.numel() for parameter in adapter.parameters()) == blocks * (56 * 8 + 8 * 12)


@every_network
def test_two_adapters_share_a_network_and_nothing_else(make) -> None:
    net, asked = make(1)
    before, first, second = ask(net, asked), new(net, 0), new(net, 1)
    train(net, asked, first)
    assert torch.equal(spoken(net, asked, second), before)
    learned = spoken(net, asked, first)
    train(net, asked, second)
    assert torch.equal(spoken(net, asked, first), learned)


@every_network
def test_what_was_learned_can_be_saved_and_loaded(make) -> None:
    net, asked = make(1)
    adapter = new(net)
    train(net, asked, adapter)
    again = new(net, seed=5)
    again.load_state_dict(adapter.state_dict())
    assert torch.equal(spoken(net, asked, again), spoken(net, asked, adapter))
    assert set(adapter.state_dict()) == {name for name, _ in adapter.named_parameters()}


def test_the_scale_weighs_the_change() -> None:
    layer = nn.Sequential(nn.Linear(3, 2)).requires_grad_(False)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    whole, half = new(layer), new(layer, scale=0.5)
    nn.init.constant_(whole.up["0"].weight, 0.7)
    half.load_state_dict(whole.state_dict())
    changes = [spoken(layer, {"input": x}, adapter) - layer(x) for adapter in (whole, half)]
    assert changes[0].abs().min() > 0 and torch.allclose(changes[1], 0.5 * changes[0], atol=1e-6)


def test_the_given_generator_decides_and_no_other_is_touched() -> None:
    net, _ = unet(1)
    before = torch.get_rng_state()
    first, same, other = (new(net, seed).down["0"].weight for seed in (3, 3, 4))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, same) and not torch.equal(first, other)


def test_the_published_start_is_normal_with_deviation_one_over_rank() -> None:
    """Ours is uniform within 1 / sqrt(inputs); for Stable Diffusion's 320 inputs at rank 4 it is 7.7 times
    smaller.
    """
    layer = nn.Sequential(nn.Linear(320, 8)).requires_grad_(False)
    uniform, normal = (
        Adapter(layer, 4, torch.Generator().manual_seed(0), start=start).down["0"].weight.detach()
        for start in ADAPTER_STARTS
    )
    assert float(uniform.abs().max()) <= 320**-0.5 and float(uniform.std()) == pytest.approx(
        (3 * 320) ** -0.5, rel=0.05
    )
    assert float(normal.std()) == pytest.approx(1 / 4, rel=0.05) and float(normal.abs().max()) > 2 / 4


def test_it_lies_where_the_network_is_asked_and_not_where_its_weights_wait() -> None:
    layer = nn.Sequential(nn.Linear(3, 2)).requires_grad_(False)
    places = {
        p.device.type for p in Adapter(layer, 2, torch.Generator(), device=torch.device("meta")).parameters()
    }
    assert places == {"meta"}


def test_the_network_is_plain_again_after_an_error() -> None:
    net, asked = unet(1)
    adapter = new(net)
    train(net, asked, adapter)
    before = ask(net, asked)
    with pytest.raises(RuntimeError, match="stop"), adapter.active():
        raise RuntimeError("stop")
    assert torch.equal(ask(net, asked), before)


def test_half_precision_networks_have_adapters_in_float32() -> None:
    layer = nn.Sequential(nn.Linear(3, 2)).to(torch.bfloat16).requires_grad_(False)
    adapter = new(layer)
    assert {parameter.dtype for parameter in adapter.parameters()} == {torch.float32}
    x = torch.ones(1, 3, dtype=torch.bfloat16)
    assert torch.equal(spoken(layer, {"input": x}, adapter), layer(x)) and layer(x).dtype == torch.bfloat16
