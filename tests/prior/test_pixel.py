"""The DeepFloyd-IF-class prior against diffusers and transformers themselves, on a tiny random pipeline in
the Hub's layout.
"""

from __future__ import annotations

import importlib
import logging
import shutil
from pathlib import Path
from types import ModuleType

import pytest
import torch
from diffusers import DDPMScheduler, IFPipeline
from safetensors.torch import load_file, save_file

from engine.core.cameras import orbit_cameras
from engine.core.views import Views
from engine.errors import FileFormatError, MissingError
from engine.guidance.sds import Sds
from engine.prior.analytic import CountingPrior
from engine.prior.base import Condition, Prompts, TextEmbedding
from engine.prior.pixel.prior import PixelPrior, load_pixel
from engine.prior.pixel.sentencepiece import read_model, t5_tokenizer
from engine.prior.view_prompts import ViewPromptEncoder

T = torch.tensor([20, 500, 980])


@pytest.fixture(scope="module")
def tiny() -> ModuleType:
    return importlib.import_module("tests.prior.tiny_if")


@pytest.fixture(scope="module")
def folder(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do not write into it."""
    return tiny.save_tiny_if(tmp_path_factory.mktemp("if") / "pipeline")


@pytest.fixture(scope="module")
def prior(folder: Path) -> PixelPrior:
    return load_pixel(folder)


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    """A pipeline that a test may damage."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def views_of(rgb: torch.Tensor) -> Views:
    return Views(rgb, torch.ones_like(rgb[..., :1]), torch.zeros_like(rgb[..., :1]))


def told(prior: PixelPrior, prompt: str) -> Condition:
    return Condition(prior.embed(prompt))


def network_output(prior: PixelPrior, x_t: torch.Tensor, prompt: str) -> torch.Tensor:
    text = prior.embed(prompt).tokens.expand(len(x_t), -1, -1)
    return prior.parts.unet(x_t, T, encoder_hidden_states=text).sample


def test_the_noise_is_the_first_three_of_six_channels(prior: PixelPrior) -> None:
    x_t = noise(3, 3, 8, 8)
    output = network_output(prior, x_t, "a mug")
    assert output.shape[1] == 6
    torch.testing.assert_close(prior.predict(x_t, T, told(prior, "a mug")).eps, output[:, :3])


def test_clean_picture_is_that_of_diffusers_scheduler(folder: Path, prior: PixelPrior) -> None:
    x_t = noise(3, 3, 8, 8)
    found = prior.predict(x_t, T, told(prior, "a mug"))
    output = network_output(prior, x_t, "a mug")
    scheduler = DDPMScheduler.from_pretrained(
        folder, subfolder="scheduler", thresholding=False, clip_sample=False
    )
    for i, t in enumerate(T):
        expected = scheduler.step(output[i : i + 1], t, x_t[i : i + 1]).pred_original_sample[0]
        torch.testing.assert_close(found.x0[i], expected, rtol=0, atol=1e-4 * expected.abs().max().item())
    torch.testing.assert_close(prior.schedule.add_noise(found.x0, found.eps, T), x_t, rtol=0, atol=1e-4)


def test_a_step_of_the_pipeline_with_guidance(
    folder: Path, prior: PixelPrior, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words, network and guidance 7 end to end: what the pipeline hands to its scheduler is our guided
    noise.
    """
    pipeline = IFPipeline.from_pretrained(
        folder,
        tokenizer=None,
        text_encoder=None,
        safety_checker=None,
        feature_extractor=None,
        watermarker=None,
        requires_safety_checker=False,
        local_files_only=True,
    )
    pipeline.set_progress_bar_config(disable=True)
    seen = []

    def remember(
        output: torch.Tensor, t: torch.Tensor, sample: torch.Tensor, **options: object
    ) -> tuple[torch.Tensor]:
        seen.append((output[:, :3], int(t), sample))
        return (sample,)

    monkeypatch.setattr(pipeline.scheduler, "step", remember)
    mug, empty = prior.embed("a red mug"), prior.embed("")
    pipeline(
        prompt_embeds=mug.tokens,
        negative_prompt_embeds=empty.tokens,
        num_inference_steps=3,
        guidance_scale=7.0,
        generator=torch.Generator().manual_seed(3),
        output_type="pt",
    )
    assert len(seen) == 3
    for expected, t, x_t in seen:
        unconditional, conditional = (
            prior.predict(x_t, torch.tensor([t]), Condition(text)).eps for text in (empty, mug)
        )
        torch.testing.assert_close(
            unconditional + 7 * (conditional - unconditional), expected, rtol=1e-4, atol=1e-5
        )


def test_its_space_is_the_picture(prior: PixelPrior) -> None:
    rgb = torch.rand(2, 8, 8, 3, generator=torch.Generator().manual_seed(1))
    x = prior.encode(views_of(rgb))
    torch.testing.assert_close(x, 2 * rgb.permute(0, 3, 1, 2) - 1)
    again = prior.decode(x)
    torch.testing.assert_close(again.rgb, rgb)
    assert again.alpha.min() == 1 and again.depth.abs().max() == 0
    assert prior.decode(3 * x).rgb.min() >= 0 and prior.decode(3 * x).rgb.max() <= 1
    large = rgb.repeat_interleave(3, 1).repeat_interleave(3, 2)
    torch.testing.assert_close(prior.encode(views_of(large)), x)


def test_one_call_for_each_branch_and_gradients_only_where_asked(prior: PixelPrior) -> None:
    counting, x = CountingPrior(prior), noise(2, 3, 8, 8).requires_grad_()
    prompts = Prompts(told(prior, "a mug"), told(prior, ""))
    Sds().loss(
        x, torch.tensor([400, 700]), prompts, counting, None, torch.Generator().manual_seed(0)
    ).loss.backward()
    assert (counting.forwards, counting.backwards) == (2, 0) and x.grad.abs().max() > 0


def test_gradients_reach_the_noised_picture_and_the_words_but_no_weight(prior: PixelPrior) -> None:
    x_t, tokens = noise(3, 3, 8, 8).requires_grad_(), prior.embed("a mug").tokens.clone().requires_grad_()
    prior.predict(x_t, T, Condition(TextEmbedding(tokens))).eps.square().sum().backward()
    assert x_t.grad.abs().max() > 0 and tokens.grad.abs().max() > 0
    networks = (prior.parts.unet, prior.parts.text_encoder)
    assert not any(weight.requires_grad for network in networks for weight in network.parameters())


def test_views_worked_off_in_turn_are_the_same_views(folder: Path, prior: PixelPrior) -> None:
    chunked, x_t, t = (
        load_pixel(folder, max_views_per_call=2),
        noise(5, 3, 8, 8),
        torch.tensor([1, 200, 400, 600, 800]),
    )
    text = Condition(
        TextEmbedding(torch.cat([prior.embed(prompt).tokens for prompt in ("a", "b", "c", "d", "e")]))
    )
    torch.testing.assert_close(chunked.predict(x_t, t, text).eps, prior.predict(x_t, t, text).eps)


def test_it_is_told_from_which_side_a_picture_is(prior: PixelPrior) -> None:
    assert prior.info.wants_view_words and not prior.info.takes_cameras and prior.info.resolution == 8
    front = ViewPromptEncoder.of(prior, "a mug").at(orbit_cameras([0.0], 10.0, 3.0, 40.0, 8))
    torch.testing.assert_close(front.tokens, prior.embed("a mug, front view").tokens)


class TestWords:
    def test_pieces_are_those_of_the_file_in_order(self, tiny: ModuleType) -> None:
        pieces, charsmap = read_model(tiny.model_proto(tiny.PIECES))
        assert pieces == [(text, score) for text, score, _ in tiny.PIECES] and charsmap == b""

    @pytest.mark.parametrize(
        ("prompt", "pieces"),
        [
            ("a red mug", ["▁a", "▁red", "▁", "mug"]),  # -1 - 2 - 3 - 2
            ("rered", ["▁", "re", "re", "d"]),
            ("a   mug", ["▁a", "▁", "mug"]),
            ("", []),
            ("é", ["▁", "é"]),  # unknown
        ],
    )
    def test_the_most_probable_pieces_then_an_end_and_padding(
        self, tiny: ModuleType, prompt: str, pieces: list[str]
    ) -> None:
        found = t5_tokenizer(tiny.model_proto(tiny.PIECES), 9).encode(prompt)
        names = [text for text, _, _ in tiny.PIECES]
        expected = [names.index(piece) if piece in names else 2 for piece in pieces] + [1]
        assert found.ids == expected + [0] * (9 - len(expected))
        assert sum(found.attention_mask) == len(expected)

    def test_an_embedding_is_the_encoder_on_those_pieces(self, prior: PixelPrior, tiny: ModuleType) -> None:
        names = [text for text, _, _ in tiny.PIECES]
        ids = [names.index(piece) for piece in ("▁a", "▁red", "▁", "mug", "</s>")]
        padded, mask = torch.tensor([ids + [0] * 72]), torch.tensor([[1] * 5 + [0] * 72])
        with torch.no_grad():
            expected = prior.parts.text_encoder(input_ids=padded, attention_mask=mask).last_hidden_state
        torch.testing.assert_close(prior.embed("  A Red MUG ").tokens, expected)

    def test_a_prompt_too_long_is_cut_and_the_log_says_so(
        self, prior: PixelPrior, caplog: pytest.LogCaptureFixture
    ) -> None:
        long = " ".join(["a"] * 80)
        assert prior.unread("a red mug") == ""
        assert prior.unread(long).split() == ["a"] * 4  # 77 tokens less an end leave 76
        with caplog.at_level(logging.WARNING):
            assert prior.embed(long).tokens.shape == (1, 77, 16)
        assert "too long" in caplog.text

    def test_a_whole_tokenizer_file_is_read_where_there_is_one(self, copied: Path, prior: PixelPrior) -> None:
        prior.parts.tokenizer.save(str(copied / "tokenizer" / "tokenizer.json"))
        (copied / "tokenizer" / "spiece.model").unlink()
        torch.testing.assert_close(
            load_pixel(copied).embed("a red mug").tokens, prior.embed("a red mug").tokens
        )

    @pytest.mark.parametrize(
        "content",
        [b"", b"\x0a\xff\xff", b"version https://git-lfs.github.com/spec/v1\n", b"\x0a\x03\x0a\x01a"],
    )
    def test_a_damaged_vocabulary_is_named(self, copied: Path, content: bytes) -> None:
        (copied / "tokenizer" / "spiece.model").write_bytes(content)
        with pytest.raises(FileFormatError, match=r"tokenizer in .* cannot be read"):
            load_pixel(copied)


class TestFolder:
    def test_half_precision_shards_alone_are_found(self, copied: Path, prior: PixelPrior) -> None:
        for path in copied.glob("*/*.safetensors"):
            half = {name: tensor.half() for name, tensor in load_file(path).items()}
            name = (
                path.name.replace("model-", "model.fp16-")
                if "-of-" in path.name
                else path.name.replace(".safetensors", ".fp16.safetensors")
            )
            save_file(half, path.with_name(name), metadata={"format": "pt"})
            path.unlink()
        index = copied / "text_encoder" / "model.safetensors.index.json"
        text = index.read_text(encoding="utf-8").replace("model-", "model.fp16-")
        index.with_name("model.safetensors.index.fp16.json").write_text(text, encoding="utf-8")
        index.unlink()
        found, x_t = load_pixel(copied), noise(3, 3, 8, 8)
        torch.testing.assert_close(
            found.embed("a mug").tokens, prior.embed("a mug").tokens, rtol=0, atol=2e-2
        )
        expected = prior.predict(x_t, T, told(prior, "a mug")).eps
        torch.testing.assert_close(
            found.predict(x_t, T, told(prior, "a mug")).eps, expected, rtol=0, atol=2e-2
        )

    def test_a_model_without_the_variance_channels(self, tiny: ModuleType, tmp_path: Path) -> None:
        found = load_pixel(tiny.save_tiny_if(tmp_path / "plain", out_channels=3))
        assert found.predict(noise(3, 3, 8, 8), T, told(found, "a mug")).eps.shape == (3, 3, 8, 8)

    def test_an_upscaler_is_refused(self, tiny: ModuleType, tmp_path: Path) -> None:
        with pytest.raises(FileFormatError, match=r"takes 6 channels.*upscaler"):
            load_pixel(tiny.save_tiny_if(tmp_path / "second", in_channels=6))

    @pytest.mark.parametrize(
        "name", ["model_index.json", "unet/config.json", "text_encoder/model-00001-of-00002.safetensors"]
    )
    def test_a_file_is_missing(self, copied: Path, name: str) -> None:
        path = copied / name
        (path if path.exists() else next((copied / "text_encoder").glob("model-00001*"))).unlink()
        with pytest.raises(MissingError, match=name.split("/")[0]) as raised:
            load_pixel(copied)
        assert "Fetch" in raised.value.remedy

    def test_it_is_another_kind_of_pipeline(self, tiny_pipelines: dict[str, Path]) -> None:
        with pytest.raises(FileFormatError, match="StableDiffusionPipeline"):
            load_pixel(tiny_pipelines["epsilon"])

    def test_weights_lack_a_tensor(self, copied: Path) -> None:
        path = copied / "unet" / "diffusion_pytorch_model.safetensors"
        tensors = load_file(path)
        del tensors["conv_in.bias"]
        save_file(tensors, path, metadata={"format": "pt"})
        with pytest.raises(FileFormatError, match=r"weights of unet .* lack 1 tensors"):
            load_pixel(copied)
