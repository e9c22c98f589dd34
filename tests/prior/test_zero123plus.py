"""The Zero123++-class prior against the published computation, on a tiny random pipeline in the Hub's
layout.
"""

from __future__ import annotations

import importlib
import math
import shutil
from pathlib import Path
from types import ModuleType

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor

from engine.core.cameras import Cameras, orbit_cameras
from engine.core.views import Views
from engine.errors import FileFormatError, InputError, MissingError
from engine.prior.base import Condition, PriorInfo
from engine.prior.capabilities import known_info
from engine.prior.registry import find_entry
from engine.prior.trainable_lora import adapter_on
from engine.prior.zero123plus.prior import Zero123PlusPrior, load_zero123plus
from engine.prior.zero123plus.tiles import joined, parted

SIX = ((30, 20), (90, -10), (150, 20), (210, -10), (270, 20), (330, -10))
INFO = PriorInfo("tiny", "Tiny", "rgb", 16, 4.0)


@pytest.fixture(scope="module")
def tiny() -> ModuleType:
    return importlib.import_module("tests.prior.tiny_sight")


@pytest.fixture(scope="module")
def folder(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do not write into it."""
    return tiny.save_tiny_zero123plus(tmp_path_factory.mktemp("zero123plus") / "pipeline")


@pytest.fixture(scope="module")
def prior(folder: Path) -> Zero123PlusPrior:
    return load_zero123plus(folder, info=INFO)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    """A pipeline that a test may damage."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def six(front: float = 0.0) -> Cameras:
    return orbit_cameras(
        [front + azimuth for azimuth, _ in SIX], [float(low) for _, low in SIX], 3.9, 30.0, 16
    )


def picture(seed: int = 4) -> Views:
    alpha = torch.zeros(1, 16, 16, 1)
    alpha[:, 3:12, 4:14] = 1
    rgb = alpha * torch.rand(1, 16, 16, 3, generator=torch.Generator().manual_seed(seed))
    return Views(rgb, alpha, torch.zeros_like(alpha))


def front(azimuth: float = 0.0) -> Cameras:
    return orbit_cameras([azimuth], 10.0, 3.9, 30.0, 16)


class Listening:
    """The published attention processor in short: writes its tokens into ``seen``, or reads them from
    there.
    """

    def __init__(self, name: str, seen: dict[str, Tensor], writes: list[bool]) -> None:
        self.name, self.seen, self.writes, self.plain = name, seen, writes, AttnProcessor2_0()

    def __call__(
        self, attn: Attention, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, **_: object
    ) -> Tensor:
        if encoder_hidden_states is not None:
            return self.plain(attn, hidden_states, encoder_hidden_states)
        if self.writes[0]:
            self.seen[self.name] = hidden_states
            return self.plain(attn, hidden_states, hidden_states)
        return self.plain(attn, hidden_states, torch.cat([hidden_states, self.seen[self.name]], dim=1))


def published(
    prior: Zero123PlusPrior, folder: Path, x_t: Tensor, t: Tensor, tokens: Tensor, cond: Tensor
) -> Tensor:
    """The velocity of six views (6,4,h,w), by a plain UNet with the publisher's kind of attention."""
    unet, seen, writes = UNet2DConditionModel.from_pretrained(folder / "unet").eval(), {}, [True]
    unet.set_attn_processor({name: Listening(name, seen, writes) for name in unet.attn_processors})
    eps = torch.randn(cond.shape, generator=torch.Generator().manual_seed(int(t)))
    abar = prior.schedule.alphas_cumprod[t].float()
    with torch.no_grad():
        unet(abar.sqrt() * cond + (1 - abar).sqrt() * eps, t, encoder_hidden_states=tokens)
        writes[0] = False
        rows = [torch.cat([x_t[2 * row], x_t[2 * row + 1]], dim=2) for row in range(3)]
        grid = unet(torch.cat(rows, dim=1)[None], t, encoder_hidden_states=tokens).sample[0]
    rows = [row.chunk(2, dim=2) for row in grid.chunk(3, dim=1)]
    return torch.stack([view for row in rows for view in row])


@pytest.mark.parametrize(("version", "fov_deg"), [("v1.1", 49.13434264120263), ("v1.2", 30.0)])
def test_each_version_has_its_own_lens(folder: Path, version: str, fov_deg: float) -> None:
    """As its author says in issue 68 of SUDO-AI-3D/zero123plus; before it is loaded and after."""
    for info in (
        load_zero123plus(folder, info=INFO, version=version).info,
        known_info(find_entry(f"zero123plus-{version}")),
    ):
        assert info.fov_deg == pytest.approx(fov_deg, abs=1e-9)
        assert math.sin(math.radians(info.fov_deg / 2)) * info.distance == pytest.approx(1), (
            "the unit sphere just fits"
        )


@pytest.mark.parametrize("time", [10, 500, 990])
@pytest.mark.parametrize("seen", [True, False], ids=["picture", "none"])
def test_it_answers_as_the_published_network(
    prior: Zero123PlusPrior, folder: Path, tiny: ModuleType, time: int, seen: bool
) -> None:
    """Tokens with their ramp, the picture at the same noise through reference attention, and six views in
    three rows.
    """
    x_t, t = noise(6, 4, 8, 8), torch.tensor([time])
    words, vae, views = prior.embed("").tokens, prior.parts.space.vae, picture()
    grey = views.rgb + 0.5 * (1 - views.alpha)
    if seen:
        embedding = prior.eye.encoder(prior.eye.prepare(grey)).image_embeds
        tokens = words + embedding[:, None] * torch.tensor(tiny.RAMP)[:, None]
        cond = vae.encode((grey.permute(0, 3, 1, 2) - 0.5) / 0.8).latent_dist.mode()
    else:
        tokens, cond = words, vae.encode(torch.zeros(1, 3, 16, 16)).latent_dist.mode()
    v = published(prior, folder, x_t, t, tokens, cond)
    a, sig = prior.schedule.signal_and_noise(t, x_t)
    clean = prior.clean_views(views, front()) if seen else None
    found = prior.predict(x_t, t.expand(6), Condition(prior.embed("a mug"), six(), clean))
    torch.testing.assert_close(found.x0, a * x_t - sig * v, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found.eps, a * v + sig * x_t, rtol=1e-3, atol=1e-4)


class TestTiles:
    def test_joining_and_parting_are_inverse_and_go_row_by_row(self) -> None:
        views = noise(12, 3, 4, 5)
        assert torch.equal(parted(joined(views)), views)
        grid = joined(views)
        assert grid.shape == (2, 3, 12, 10)
        assert torch.equal(grid[0, :, 4:8, 5:], views[3]) and torch.equal(grid[1, :, 8:, :5], views[10])

    def test_latents_and_pictures_are_scaled_as_published(self, prior: Zero123PlusPrior) -> None:
        space = prior.parts.space
        rgb = torch.rand(6, 16, 16, 3, generator=torch.Generator().manual_seed(2))
        views = Views(rgb, torch.ones_like(rgb[..., :1]), torch.zeros_like(rgb[..., :1]))
        latents = space.vae.encode((2 * rgb.permute(0, 3, 1, 2) - 1) * 0.5 / 0.8).latent_dist.mode()
        expected = (latents * space.vae.config.scaling_factor - 0.22) * 0.75
        torch.testing.assert_close(prior.encode(views), expected, rtol=1e-4, atol=1e-5)
        whole = (
            space.vae.decode((joined(expected) / 0.75 + 0.22) / space.vae.config.scaling_factor).sample
            * 0.8
            / 0.5
        )
        pictures = (parted(whole) / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)
        torch.testing.assert_close(prior.decode(expected).rgb, pictures, rtol=1e-4, atol=1e-5)

    def test_with_little_memory_views_are_decoded_one_by_one(self, folder: Path) -> None:
        prior, rows = load_zero123plus(folder, info=INFO), []
        prior.parts.space.vae.decoder.register_forward_hook(
            lambda _module, inputs, _output: rows.append(tuple(inputs[0].shape))
        )
        prior.decode(noise(6, 4, 8, 8))
        prior.max_pictures_per_call = 1
        assert prior.decode(noise(6, 4, 8, 8)).rgb.shape == (6, 16, 16, 3)
        assert rows == [(1, 4, 24, 16)] + [(1, 4, 8, 8)] * 6


class TestPredicting:
    def test_views_see_each_other_and_two_sets_do_not(self, prior: Zero123PlusPrior) -> None:
        x_t, t, clean = noise(6, 4, 8, 8), torch.full((6,), 400), prior.clean_views(picture(), front())
        condition = Condition(prior.embed(""), six(), clean)
        alone = prior.predict(x_t, t, condition).eps
        changed = torch.cat([x_t[:5], noise(1, 4, 8, 8, seed=8)])
        assert not torch.allclose(prior.predict(changed, t, condition).eps[:5], alone[:5], atol=1e-4)
        cameras = six()
        both = Cameras(cameras.c2w.repeat(2, 1, 1), cameras.K.repeat(2, 1, 1), 16, 16)
        pair = prior.predict(
            torch.cat([x_t, changed]), t.repeat(2), Condition(prior.embed(""), both, clean)
        ).eps
        torch.testing.assert_close(pair[:6], alone, rtol=1e-4, atol=1e-5)

    def test_the_same_question_has_the_same_answer_and_leaves_nothing_behind(
        self, prior: Zero123PlusPrior
    ) -> None:
        x_t, t = noise(6, 4, 8, 8), torch.full((6,), 400)
        seen, none = (
            Condition(prior.embed(""), six(), clean)
            for clean in (prior.clean_views(picture(), front()), None)
        )
        first = prior.predict(x_t, t, seen).eps
        assert not torch.allclose(prior.predict(x_t, t, none).eps, first, atol=1e-4)
        assert torch.equal(prior.predict(x_t, t, seen).eps, first)
        kept = [module.noted for module in prior.network.modules() if hasattr(module, "noted")]
        assert len(kept) == 4 and all(tokens is None for tokens in kept)

    def test_other_views_than_the_fixed_ones_are_refused(self, prior: Zero123PlusPrior) -> None:
        x_t, t, clean = noise(6, 4, 8, 8), torch.full((6,), 400), prior.clean_views(picture(), front(40))
        prior.predict(x_t, t, Condition(prior.embed(""), six(40), clean))
        prior.predict(x_t, t, Condition(prior.embed(""), six(400), clean))
        for cameras in (six(0), six(45), orbit_cameras([40.0 + a for a, _ in SIX], 20.0, 3.9, 30.0, 16)):
            with pytest.raises(InputError, match="from elsewhere than its fixed ones") as error:
                prior.predict(x_t, t, Condition(prior.embed(""), cameras, clean))
            assert "draft" in error.value.remedy

    def test_adapters_and_slices_keep_the_picture_in_sight(
        self, folder: Path, prior: Zero123PlusPrior
    ) -> None:
        other, x_t, t = load_zero123plus(folder, info=INFO), noise(6, 4, 8, 8), torch.full((6,), 400)
        condition = Condition(prior.embed(""), six(), prior.clean_views(picture(), front()))
        expected = prior.predict(x_t, t, condition).eps
        with adapter_on(other, 2, torch.Generator().manual_seed(0)).active():
            torch.testing.assert_close(other.predict(x_t, t, condition).eps, expected, rtol=1e-4, atol=1e-5)
        other.network.set_attention_slice("max")
        torch.testing.assert_close(other.predict(x_t, t, condition).eps, expected, rtol=1e-4, atol=1e-5)


class TestFolder:
    def test_the_two_versions_look_from_other_heights(self, folder: Path, prior: Zero123PlusPrior) -> None:
        assert prior.info.fixed_views == SIX
        older = load_zero123plus(folder, info=INFO, version="v1.1").info
        assert [azimuth for azimuth, _ in older.fixed_views] == [30, 90, 150, 210, 270, 330]
        assert [elevation for _, elevation in older.fixed_views] == [30, -20] * 3
        for version, info in (("1.1", older), ("1.2", prior.info)):
            entry = find_entry(f"zero123plus-v{version}")
            known = known_info(entry)
            assert (
                known.fixed_views == info.fixed_views
                and known.needs_images
                and known.joint_views
                and not known.reads_words
            )
            assert entry.resolution == 320 and "non-commercial" in entry.licence

    @pytest.mark.parametrize("part", ["vision_encoder", "unet"])
    def test_weights_are_missing(self, copied: Path, part: str) -> None:
        next((copied / part).glob("*.safetensors")).unlink()
        with pytest.raises(MissingError, match=rf"{part}/\*\.safetensors"):
            load_zero123plus(copied)

    @pytest.mark.parametrize("ramp", [None, [0.5], "steep", ["a"] * 77])
    def test_the_ramp_is_missing_or_does_not_fit(self, copied: Path, tiny: ModuleType, ramp: object) -> None:
        tiny.change_index(copied, ramping_coefficients=ramp)
        with pytest.raises(FileFormatError, match="no ramping_coefficients, 77 numbers"):
            load_zero123plus(copied)

    def test_it_is_another_kind_of_pipeline(self, tiny_pipelines: dict[str, Path]) -> None:
        with pytest.raises(FileFormatError, match="StableDiffusionPipeline"):
            load_zero123plus(tiny_pipelines["epsilon"])

    def test_views_of_a_size_that_is_no_multiple_of_a_latent(self, folder: Path) -> None:
        with pytest.raises(FileFormatError, match="15 is no multiple of the 2 pixels"):
            load_zero123plus(folder, info=PriorInfo("odd", "Odd", "rgb", 15, 4.0))
