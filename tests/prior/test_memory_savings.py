"""What a plan does to a prior: the same answers with less at once, in the precision that was asked for, from
main memory.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from engine.core.views import Views
from engine.errors import DeviceError, FileFormatError
from engine.prior import memory_savings as economies
from engine.prior.analytic import AnalyticPrior, gaussian
from engine.prior.base import Condition
from engine.prior.chunked import chunked
from engine.prior.latent.stable_diffusion import load_latent
from engine.prior.memory_plan import GB, Economy, tiers
from engine.prior.memory_savings import economise, footprint_of, load_within, networks_of, recast, tiers_of
from engine.prior.offload import Offload
from engine.prior.pixel.prior import PixelParts
from engine.prior.trainable_lora import Adapter
from engine.prior.weights import elements_in, header

CPU, ELSEWHERE = torch.device("cpu"), torch.device("meta")


@pytest.fixture
def prior(tiny_pipelines: dict[str, Path]):
    return load_latent(tiny_pipelines["epsilon"])


def asked(prior) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Latents of three pictures, their gradient, and a prediction."""
    rgb = torch.rand(3, 16, 16, 3, generator=torch.Generator().manual_seed(1)).requires_grad_()
    x = prior.encode(Views(rgb, torch.ones_like(rgb[..., :1]), torch.zeros_like(rgb[..., :1])))
    (gradient,) = torch.autograd.grad(x.square().sum(), rgb)
    return (
        x.detach(),
        gradient,
        prior.predict(x.detach(), torch.tensor([10, 500, 900]), Condition(prior.embed("a mug"))).eps,
    )


@pytest.mark.parametrize("economy", tiers(3, fused_attention=False), ids=lambda economy: economy.words(3))
def test_every_tier_gives_the_same_answers(prior, economy: Economy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(economies, "fused_attention", lambda device: False)
    before = asked(prior)
    economise(prior, economy)
    for found, expected in zip(asked(prior), before, strict=True):
        if economy.tiled_vae:
            assert found.shape == expected.shape and torch.isfinite(found).all()
        else:
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))
    economise(prior, Economy())
    for found, expected in zip(asked(prior), before, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


def test_calls_are_as_small_as_the_plan_says(prior) -> None:
    seen = {"denoiser": [], "vae": []}
    prior.network.register_forward_pre_hook(lambda module, args: seen["denoiser"].append(len(args[0])))
    networks_of(prior)["vae"].encoder.register_forward_pre_hook(
        lambda module, args: seen["vae"].append(len(args[0]))
    )
    economise(prior, Economy(views_per_call=2, pictures_per_call=1))
    asked(prior)
    assert seen["denoiser"] == [2, 1] and set(seen["vae"]) == {1}


def test_what_is_computed_again_is_not_kept() -> None:
    """The tensors that autograd keeps between the way there and the way back."""

    def kept(recompute: bool) -> int:
        sizes: list[int] = []
        x = torch.rand(8, 16).requires_grad_()
        count = torch.autograd.graph.saved_tensors_hooks(
            lambda part: sizes.append(part.numel()) or part, lambda part: part
        )
        with count:
            chunked(lambda part: part.sin().exp().tanh().cos(), 2, x, recompute=recompute)
        return sum(sizes)

    assert kept(recompute=True) < kept(recompute=False) / 2


def test_a_pixel_prior_names_its_networks() -> None:
    unet, encoder = nn.Linear(1, 1), nn.Linear(1, 1)
    assert PixelParts(unet, encoder, None).networks == {"denoiser": unet, "text_encoder": encoder}


def test_footprint_counts_the_weights_that_are_there(prior) -> None:
    footprint = footprint_of(prior)
    sizes = [
        sum(p.numel() * p.element_size() for p in network.parameters())
        for network in networks_of(prior).values()
    ]
    assert (
        footprint.weights == sum(sizes)
        and footprint.largest == max(sizes)
        and footprint.encode > 0
        and footprint.denoise > 0
    )
    recast(prior, "bf16")
    assert (
        footprint_of(prior).weights == footprint.weights // 2
        and footprint_of(prior).denoise == footprint.denoise // 2
    )


def test_headers_tell_what_a_loaded_prior_holds(prior, tiny_pipelines: dict[str, Path]) -> None:
    folder = tiny_pipelines["epsilon"]
    counts = elements_in(folder)
    assert counts["unet"] == sum(p.numel() for p in networks_of(prior)["denoiser"].parameters())
    assert counts["vae"] == sum(p.numel() for p in networks_of(prior)["vae"].parameters())


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-3], lambda whole: whole + b"x", lambda _: b"", lambda _: b"version 1"]
)
def test_a_safetensors_file_that_is_not_whole_is_found_by_its_header(
    tmp_path: Path, tiny_pipelines, damage
) -> None:
    whole = next((tiny_pipelines["epsilon"] / "unet").glob("*.safetensors")).read_bytes()
    path = tmp_path / "model.safetensors"
    path.write_bytes(whole)
    assert header(path)
    path.write_bytes(damage(whole))
    with pytest.raises(FileFormatError, match=r"model\.safetensors") as raised:
        header(path)
    assert "fetch" in raised.value.remedy


def test_small_priors_are_left_alone() -> None:
    prior = AnalyticPrior({"": gaussian(torch.zeros(3, 4, 4))})
    assert footprint_of(prior) is None and networks_of(prior) == {}


class TestPrecision:
    def load(self, tiny_pipelines: dict[str, Path], precision: str, weights: dict[str, int] | None = None):
        return load_within(
            lambda device: load_latent(tiny_pipelines["epsilon"], device),
            weights or {"unet": 1},
            CPU,
            precision,
        )

    @pytest.mark.parametrize(
        ("precision", "dtype"), [("auto", torch.float32), ("fp32", torch.float32), ("bf16", torch.bfloat16)]
    )
    def test_networks_have_the_precision_that_was_asked_for(
        self, tiny_pipelines, precision: str, dtype: torch.dtype
    ) -> None:
        prior = self.load(tiny_pipelines, precision)
        assert {p.dtype for network in networks_of(prior).values() for p in network.parameters()} == {dtype}
        assert all(torch.isfinite(part).all() for part in asked(prior))

    def test_a_small_prior_chooses_for_itself(self) -> None:
        places: list[torch.device] = []

        def load(device: torch.device) -> AnalyticPrior:
            places.append(device)
            return AnalyticPrior({"": gaussian(torch.zeros(3, 4, 4))}, device=device)

        assert (
            load_within(load, {"unet": 1}, ELSEWHERE, "fp32").device == ELSEWHERE and places[-1] == ELSEWHERE
        )

    def test_a_vae_that_would_overflow_stays_full(self, prior) -> None:
        vae = networks_of(prior)["vae"]
        vae.register_to_config(force_upcast=True)
        recast(prior, "fp16")
        assert vae.dtype == torch.float32 and prior.network.dtype == torch.float16

    def test_weights_that_do_not_fit_are_refused_before_they_are_read(
        self, tiny_pipelines, monkeypatch
    ) -> None:
        monkeypatch.setattr(economies, "free_bytes", lambda device: GB)
        with pytest.raises(DeviceError, match=r"1\.9 GB, and 1\.0 GB") as raised:
            load_within(
                lambda device: pytest.fail("it was loaded"),
                {"unet": 400_000_000, "vae": 100_000_000},
                CPU,
                "auto",
            )
        assert "precision" in raised.value.remedy

    def test_networks_wait_where_not_all_fit(self, tiny_pipelines, monkeypatch) -> None:
        """On a device that holds the largest network and no two; "meta" stands for one."""
        monkeypatch.setattr(economies, "free_bytes", lambda device: 3 * GB)
        weights = {"unet": GB // 2, "vae": GB // 2}
        prior = load_within(
            lambda device: load_latent(tiny_pipelines["epsilon"], device), weights, ELSEWHERE, "auto"
        )
        assert prior.device == ELSEWHERE and prior.offload is not None
        assert {p.device.type for network in networks_of(prior).values() for p in network.parameters()} == {
            "cpu"
        }

    def test_a_gpu_prior_can_offload_and_a_cpu_prior_cannot(self, prior) -> None:
        assert not any(economy.offloaded for economy in tiers_of(prior, 4))
        prior.device = ELSEWHERE
        assert any(economy.offloaded for economy in tiers_of(prior, 4))


class TestOffload:
    def networks(self) -> tuple[nn.Module, nn.Module]:
        """Frozen, as a prior's are."""
        first, second = (nn.Sequential(nn.Linear(3, 3)).requires_grad_(False) for _ in range(2))
        return first, second

    def test_an_optimiser_keeps_what_learns_inside_a_network(self) -> None:
        """An adapter's parameters are the same tensors on the same device after its network has moved while
        it was active.
        """
        first, second = self.networks()
        adapter = Adapter(first, 2, torch.Generator().manual_seed(0), device=CPU)
        optimiser = torch.optim.SGD(adapter.parameters(), lr=0.1)
        offload = Offload((first, second), ELSEWHERE)
        with adapter.active():
            offload.invite(first)
            assert first[0].base_layer.weight.device == ELSEWHERE
        held = {id(p) for group in optimiser.param_groups for p in group["params"]}
        assert held == {id(p) for p in adapter.parameters()} and {p.device for p in adapter.parameters()} == {
            CPU
        }

    def test_one_network_is_there_at_a_time(self, monkeypatch) -> None:
        first, second = self.networks()
        places: dict[nn.Module, str] = {}
        monkeypatch.setattr(
            "engine.prior.offload._move", lambda network, device: places.__setitem__(network, device.type)
        )
        offload = Offload((first, second), ELSEWHERE)
        assert list(places.values()) == ["cpu", "cpu"]
        offload.invite(first)
        assert (places[first], places[second]) == ("meta", "cpu")
        offload.invite(second)
        offload.invite(second)
        assert (places[first], places[second]) == ("cpu", "meta")
        offload.end()
        assert list(places.values()) == ["meta", "meta"]

    def test_a_call_brings_the_network_and_what_it_is_given(self) -> None:
        first, second = self.networks()
        Offload((first, second), ELSEWHERE)
        assert first(torch.ones(1, 3)).device == ELSEWHERE and next(second.parameters()).device == CPU
        other = nn.Sequential(nn.Linear(3, 3)).requires_grad_(False)
        Offload((other,), ELSEWHERE)
        assert other[0](torch.ones(1, 3)).device == ELSEWHERE, "asked through its child, as a VAE is"
        assert next(other.parameters()).device == ELSEWHERE

    def test_a_gradient_survives_that_the_weights_have_moved(self) -> None:
        first, second = self.networks()
        x = torch.ones(2, 3, requires_grad=True)
        (expected,) = torch.autograd.grad(second(first(x)).sum(), x)
        Offload((first, second), CPU)
        (found,) = torch.autograd.grad(second(first(x)).sum(), x)
        torch.testing.assert_close(found, expected)
