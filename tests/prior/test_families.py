"""Families of Hub priors from the registry to a finished run: fetched, loaded by name, and asked by the
loop.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from engine.errors import FileFormatError, MissingError
from engine.loop.messages import Command, Event, Finished, Stepped
from engine.loop.run import run
from engine.loop.spec import Knobs, RunSpec
from engine.prior.base import Prior
from engine.prior.entries import PriorEntry, read_entry
from engine.prior.latent.prior import without_vae
from engine.prior.registry import fetch, installed, list_priors, load_prior, local_folder

COMMIT_OF_FAKE_HUB = "0123456789abcdef0123456789abcdef01234567"
T5 = ["text_encoder_3", "tokenizer_3"]
FAMILY = {"sd": "latent", "sdxl": "sdxl", "sd3": "flow", "sana": "flow"}
SIDE = 16


@pytest.fixture(scope="module")
def folders(
    tiny_pipelines: dict[str, Path],
    save_sdxl: Callable[..., Path],
    save_flow: dict[str, Callable[..., Path]],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("families")
    flows = {kind: save(root / kind) for kind, save in save_flow.items()}
    return {"sd": tiny_pipelines["v_prediction"], "sdxl": save_sdxl(root / "sdxl"), **flows}


def write_entry(folder: Path, kind: str, **values: Any) -> PriorEntry:
    """A registry entry on disk, read back."""
    table = {
        "id": kind,
        "title": kind,
        "family": FAMILY[kind],
        "licence": "CC0",
        "resolution": SIDE,
        "default_guidance_scale": 7.5,
    }
    table |= {"source": f"somebody/{kind}", "revision": COMMIT_OF_FAKE_HUB, "size_mb": 1, **values}
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items() if value is not None]
    (folder / f"{kind}.toml").write_text("\n".join(lines), encoding="utf-8")
    return read_entry(folder / f"{kind}.toml")


class NoCommands:
    def take(self) -> list[Command]:
        return []


def events_of(spec: RunSpec, knobs: Knobs, load: Callable[[str], Prior]) -> list[Event]:
    return list(run(spec, knobs, NoCommands(), load))


@pytest.mark.parametrize("kind", FAMILY)
def test_two_steps_on_a_canvas_from_the_name_of_the_prior(
    folders: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    write_entry(tmp_path, kind, source=str(folders[kind]), revision=None, size_mb=None)
    spec = RunSpec(
        "a red mug", prior=kind, scene="canvas", start="ball", draft_views=1, render_size=SIDE, refine_steps=2
    )
    knobs = replace(Knobs(), guidance=replace(Knobs().guidance, guidance_scale=7.5))
    events = events_of(spec, knobs, lambda prior_id: load_prior(prior_id, "cpu", tmp_path))
    steps, finished = [event for event in events if isinstance(event, Stepped)], events[-1]
    assert len(steps) == 2 and isinstance(finished, Finished) and not finished.stopped
    assert all(step.metrics["gradient_norm"] > 0 and step.metrics["not_finite"] == 0 for step in steps)
    begun = events_of(
        replace(spec, refine_steps=1), knobs, lambda prior_id: load_prior(prior_id, "cpu", tmp_path)
    )[-1]
    after, before = (event.copy.scene.parameters() for event in (finished, begun))
    assert any((after[name] - before[name]).abs().max() > 0 for name in after)
    assert all(tensor.isfinite().all() for tensor in after.values())


def test_a_rough_start_goes_past_the_vae_for_so_many_steps(folders: dict[str, Path], tmp_path: Path) -> None:
    """The encoder's calls, counted over four steps of which the first three are rough; the map itself is
    fitted once.
    """
    prior = load_prior_from(folders["sd3"], tmp_path)
    without_vae(prior)
    calls: list[int] = []
    prior.parts.networks["vae"].encoder.register_forward_hook(lambda *_: calls.append(1))
    spec = RunSpec(
        "a red mug",
        prior="sd3",
        scene="canvas",
        start="ball",
        draft_views=1,
        render_size=SIDE,
        refine_steps=4,
    )
    seen = []
    for event in run(spec, replace(Knobs(), rough_steps=3), NoCommands(), lambda prior_id: prior):
        if isinstance(event, Stepped):
            seen.append(len(calls))
    assert len(seen) == 4 and seen[0] == seen[1] == seen[2] == 0 < seen[3]


class TestFetching:
    """From a Hub on loopback, through the real client."""

    def test_every_part_that_the_index_names(
        self, folders: dict[str, Path], tmp_path: Path, fake_hub: Any
    ) -> None:
        fake_hub.repositories["somebody/sd3"] = folders["sd3"]
        entry = write_entry(tmp_path, "sd3")
        place = fetch(entry)
        assert installed(entry) and len(list((place / "text_encoder_3").glob("*.safetensors"))) == 7
        assert load_prior("sd3", "cpu", tmp_path).embed("a mug").tokens[:, 77:].any()

    def test_parts_that_are_left_out_are_not_fetched(
        self, folders: dict[str, Path], tmp_path: Path, fake_hub: Any
    ) -> None:
        fake_hub.repositories["somebody/sd3"] = folders["sd3"]
        entry = write_entry(tmp_path, "sd3", leave_out=T5)
        place = fetch(entry)
        assert installed(entry) and not any((place / part).exists() for part in T5)
        assert not load_prior("sd3", "cpu", tmp_path).embed("a mug").tokens[:, 77:].any()
        assert not installed(write_entry(tmp_path, "sd3"))  # all of it is more

    def test_half_precision_where_there_is_one_and_full_where_not(
        self, folders: dict[str, Path], tmp_path: Path, fake_hub: Any
    ) -> None:
        """As in the published repository: text encoders in both, sharded too, the transformer in one."""
        repository = Path(shutil.copytree(folders["sd3"], tmp_path / "repository"))
        for part in ("text_encoder", "text_encoder_2", "text_encoder_3"):
            add_half_precision(repository / part)
        fake_hub.repositories["somebody/sd3"] = repository
        place = fetch(write_entry(tmp_path, "sd3"))
        names = {path.name for path in (place / "text_encoder_3").iterdir()}
        assert (
            "model.safetensors.index.fp16.json" in names and "model.fp16-00001-of-00007.safetensors" in names
        )
        assert not any(name.startswith("model-0") for name in names)
        assert (place / "text_encoder_2" / "model.fp16.safetensors").exists()
        assert not (place / "text_encoder_2" / "model.safetensors").exists()
        assert (place / "transformer" / "diffusion_pytorch_model.safetensors").exists()
        whole = load_prior("sd3", "cpu", tmp_path).embed("a mug").tokens
        assert (whole - load_prior_from(folders["sd3"], tmp_path).embed("a mug").tokens).abs().max() < 1e-2

    def test_a_shard_that_the_repository_lacks(
        self, folders: dict[str, Path], tmp_path: Path, fake_hub: Any
    ) -> None:
        repository = Path(shutil.copytree(folders["sd3"], tmp_path / "repository"))
        (repository / "text_encoder_3" / "model-00003-of-00007.safetensors").unlink()
        fake_hub.repositories["somebody/sd3"] = repository
        with pytest.raises(MissingError, match=r"somebody/sd3 lacks text_encoder_3/\*\.safetensors"):
            fetch(write_entry(tmp_path, "sd3"))

    def test_an_index_that_cannot_be_read(self, folders: dict[str, Path], tmp_path: Path) -> None:
        copy = Path(shutil.copytree(folders["sd3"], tmp_path / "copy"))
        (copy / "text_encoder_3" / "model.safetensors.index.json").write_text("{", encoding="utf-8")
        with pytest.raises(FileFormatError, match=r"model\.safetensors\.index\.json is not readable JSON"):
            local_folder(write_entry(tmp_path, "sd3", source=str(copy), revision=None, size_mb=None))

    @pytest.mark.parametrize("kind", ["sdxl", "sana"])
    def test_offline_with_nothing_in_the_cache(self, tmp_path: Path, cache: Path, kind: str) -> None:
        with pytest.raises(MissingError, match=r"could not be fetched.*network connection"):
            fetch(write_entry(tmp_path, kind, revision="main", unpinned=True))
        with pytest.raises(MissingError, match=f"not on this machine.*--fetch {kind}"):
            load_prior(kind, "cpu", tmp_path)


def load_prior_from(source: Path, folder: Path) -> Prior:
    write_entry(folder, "sd3", source=str(source), revision=None, size_mb=None)
    return load_prior("sd3", "cpu", folder)


def add_half_precision(part: Path) -> None:
    """The fp16 variant beside a part's weights, named as the libraries do."""
    for path in list(part.glob("*.safetensors")):
        half = {
            name: tensor.half() if tensor.is_floating_point() else tensor
            for name, tensor in load_file(path).items()
        }
        save_file(
            half, path.with_name(path.name.replace("model", "model.fp16", 1)), metadata={"format": "pt"}
        )
    for path in part.glob("*.index.json"):
        text = path.read_text(encoding="utf-8").replace("model-0", "model.fp16-0")
        path.with_name(path.name.replace(".json", ".fp16.json")).write_text(text, encoding="utf-8")


def test_what_ships_says_what_its_family_needs_to_know() -> None:
    entries = {entry.id: entry for entry in list_priors()}
    assert (
        entries["stable-diffusion-xl"].family == "sdxl" and entries["stable-diffusion-xl"].resolution == 1024
    )
    assert entries["stable-diffusion-3.5-medium"].gated and set(
        entries["stable-diffusion-3.5-medium"].leave_out
    ) == set(T5)
    assert entries["sana-600m"].family == "flow" and "non-commercial" in entries["sana-600m"].licence
