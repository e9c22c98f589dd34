"""Entries, what is installed, fetching from a Hub on loopback, loading, and what is said when it cannot
be.
"""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
import torch
from huggingface_hub import errors

from engine.errors import DeviceError, FileFormatError, InputError, MissingError, PresetError, StorageError
from engine.prior import hub
from engine.prior.entries import COMMIT, PRIORS_FOLDER, PriorEntry, read_entry
from engine.prior.registry import (
    FAMILIES,
    fetch,
    find_entry,
    installed,
    list_priors,
    load_prior,
    local_folder,
    vocabulary_of,
)

COMMIT_OF_FAKE_HUB = "0123456789abcdef0123456789abcdef01234567"
HUB_ENTRY = {
    "id": "tiny",
    "title": "Tiny",
    "family": "latent",
    "source": "somebody/tiny",
    "revision": COMMIT_OF_FAKE_HUB,
    "size_mb": 1,
    "licence": "CC0",
    "resolution": 16,
    "default_guidance_scale": 7.5,
}


def write_entry(folder: Path, **values: Any) -> PriorEntry:
    """A registry entry on disk, read back."""
    table = {**HUB_ENTRY, **values}
    path = folder / f"{table['id']}.toml"
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items() if value is not None]
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_entry(path)


def write_local(folder: Path, pipeline: Path, **values: Any) -> PriorEntry:
    """An entry whose source is a copy of ``pipeline`` beside it."""
    shutil.copytree(pipeline, folder / "files")
    return write_entry(folder, source="./files", revision=None, size_mb=None, **values)


class TestEntriesThatShip:
    entries = list_priors()

    def test_toybox_comes_first_and_lies_in_the_repository(self) -> None:
        toybox = self.entries[0]
        assert toybox.id == "toybox" and toybox.is_local and toybox.local_source.parent == PRIORS_FOLDER
        assert toybox.default_guidance_scale == 2.5 and toybox.resolution == 64

    def test_each_says_what_a_person_needs_to_decide(self) -> None:
        named = {"stable-diffusion-1.5", "stable-diffusion-2.1-base", "stable-diffusion-2.1"}
        assert named < {entry.id for entry in self.entries}
        for entry in self.entries:
            assert entry.family in FAMILIES and entry.licence and entry.title
            assert entry.is_local or (entry.size_mb > 1000 and entry.vram_gb > 0 and entry.prediction_type)

    def test_sources_are_pinned_or_say_that_they_are_not(self) -> None:
        for entry in self.entries:
            assert entry.is_local or entry.unpinned or COMMIT.fullmatch(entry.revision)


def test_toybox_is_here_and_is_what_its_entry_says() -> None:
    entry, info = find_entry("toybox"), load_prior("toybox", "cpu").info
    assert installed(entry)
    assert (info.id, info.title, info.resolution) == (entry.id, entry.title, entry.resolution)
    assert (info.default_guidance_scale, info.time_range) == (entry.default_guidance_scale, entry.time_range)
    known = vocabulary_of(entry)
    assert "red" in known and "xylograph" not in known
    assert info.vocabulary is not None and "red" in info.vocabulary


class TestReadingEntries:
    def test_sources_in_turn(self, tmp_path: Path) -> None:
        entry = write_entry(tmp_path, mirrors=["other/tiny", f"third/tiny@{'f' * 40}"])
        assert entry.hub_sources == (
            ("somebody/tiny", COMMIT_OF_FAKE_HUB),
            ("other/tiny", "main"),
            ("third/tiny", "f" * 40),
        )
        assert entry.info().default_guidance_scale == 7.5 and entry.info().time_range == (0.02, 0.98)

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"title": None}, "lacks title"),
            ({"colour": "red"}, "unknown colour"),
            ({"resolution": "big"}, "resolution is 'big'; it must be a whole number"),
            ({"resolution": 0}, "must be positive"),
            ({"default_guidance_scale": True}, "must be a number"),
            ({"default_guidance_scale": 0.5}, "at least 1"),
            ({"time_range": [0.9, 0.1]}, "must rise"),
            ({"time_range": [0.1]}, "two numbers"),
            ({"mirrors": "one"}, "a list of texts"),
            ({"revision": None}, "needs a revision"),
            ({"revision": "main"}, "unpinned must be true"),
            ({"unpinned": True}, "unpinned must be true unless"),
            ({"size_mb": 0}, "size_mb"),
        ],
    )
    def test_what_is_wrong_is_said_with_the_file(
        self, tmp_path: Path, values: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(PresetError, match=r"tiny\.toml") as raised:
            write_entry(tmp_path, **values)
        assert message in str(raised.value)

    def test_a_branch_may_be_named_if_it_is_called_unpinned(self, tmp_path: Path) -> None:
        assert write_entry(tmp_path, revision="main", unpinned=True).revision == "main"

    def test_file_and_id_must_agree(self, tmp_path: Path) -> None:
        write_entry(tmp_path)
        (tmp_path / "tiny.toml").rename(tmp_path / "huge.toml")
        with pytest.raises(PresetError, match="'huge'"):
            find_entry("huge", tmp_path)

    def test_broken_toml(self, tmp_path: Path) -> None:
        (tmp_path / "broken.toml").write_text("id = [", encoding="utf-8")
        write_entry(tmp_path)
        with pytest.raises(PresetError, match=r"broken\.toml"):
            list_priors(tmp_path)
        assert find_entry("tiny", tmp_path).title == "Tiny"  # one bad file does not lock the others

    def test_an_unknown_name_lists_the_known(self) -> None:
        with pytest.raises(InputError, match=r"stable-diffusion-1\.5.*toybox"):
            find_entry("stable-diffusion-9")


class TestLoading:
    def test_from_a_folder_beside_the_entry(self, tmp_path: Path, tiny_pipelines: dict[str, Path]) -> None:
        write_local(
            tmp_path,
            tiny_pipelines["v_prediction"],
            title="Tiny v",
            default_guidance_scale=30,
            time_range=[0.1, 0.8],
        )
        prior = load_prior("tiny", "cpu", tmp_path)
        assert (prior.info.id, prior.info.title, prior.info.resolution) == ("tiny", "Tiny v", 16)
        assert prior.info.default_guidance_scale == 30 and prior.info.time_range == (0.1, 0.8)
        assert prior.prediction_type == "v_prediction" and prior.device.type == "cpu"

    def test_not_installed_says_size_licence_and_the_command(self, tmp_path: Path, cache: Path) -> None:
        entry = write_entry(tmp_path, size_mb=2140)
        assert not installed(entry)
        with pytest.raises(MissingError) as raised:
            load_prior("tiny", "cpu", tmp_path)
        assert "2140 MB" in raised.value.what and "CC0" in raised.value.what
        assert raised.value.remedy.endswith("python -m studio priors --fetch tiny")

    def test_a_local_one_that_is_incomplete_names_what_is_missing(
        self, tmp_path: Path, tiny_pipelines: dict[str, Path]
    ) -> None:
        entry = write_local(tmp_path, tiny_pipelines["epsilon"])
        assert installed(entry)
        next((tmp_path / "files" / "unet").glob("*.safetensors")).unlink()
        assert not installed(entry)
        with pytest.raises(MissingError, match=r"unet/\*\.safetensors"):
            load_prior("tiny", "cpu", tmp_path)

    def test_a_package_is_missing(self, tmp_path: Path) -> None:
        write_entry(tmp_path, needs=["torch", "no_such_package"])
        with pytest.raises(MissingError, match="pip install no_such_package"):
            load_prior("tiny", "cpu", tmp_path)

    def test_an_unknown_family_lists_the_known(self, tmp_path: Path) -> None:
        write_entry(tmp_path, family="magic")
        with pytest.raises(PresetError, match="toybox, latent"):
            load_prior("tiny", "cpu", tmp_path)

    def test_a_gpu_that_is_not_there(
        self, tmp_path: Path, tiny_pipelines: dict[str, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_local(tmp_path, tiny_pipelines["epsilon"])
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(DeviceError, match="cpu"):
            load_prior("tiny", "cuda", tmp_path)


class TestVocabulary:
    def test_open_vocabularies_know_all_words_and_taught_ones_their_own(
        self, tmp_path: Path, tiny_pipelines: dict[str, Path], cache: Path
    ) -> None:
        write_local(tmp_path, tiny_pipelines["epsilon"])
        (tmp_path / "words.json").write_text(
            json.dumps({"model": {"vocab": {"mug": 3, "red": 4}}}), encoding="utf-8"
        )
        write_entry(
            tmp_path, id="taught", source="./files", revision=None, size_mb=None, vocabulary="words.json"
        )
        write_entry(tmp_path, id="absent")
        known = {name: vocabulary_of(find_entry(name, tmp_path)) for name in ("tiny", "taught", "absent")}
        assert known == {"tiny": None, "taught": {"mug", "red"}, "absent": None}

    def test_a_list_of_words_that_cannot_be_read(
        self, tmp_path: Path, tiny_pipelines: dict[str, Path]
    ) -> None:
        write_local(tmp_path, tiny_pipelines["epsilon"], vocabulary="words.json")
        with pytest.raises(FileFormatError, match=r"words\.json"):
            vocabulary_of(find_entry("tiny", tmp_path))


class TestFetching:
    """From a Hub on loopback, through the real client."""

    def test_fetch_then_installed_then_load_without_a_network(
        self, tmp_path: Path, fake_hub: Any, tiny_pipelines: dict[str, Path]
    ) -> None:
        fake_hub.repositories["somebody/tiny"] = tiny_pipelines["epsilon"]
        entry, shares = write_entry(tmp_path), []
        assert not installed(entry)
        place = fetch(entry, shares.append)
        assert installed(entry) and local_folder(entry) == place
        assert shares == sorted(shares) and shares[0] < 0.1 < shares[-1] <= 1
        fake_hub.requests.clear()
        assert load_prior("tiny", "cpu", tmp_path).info.title == "Tiny"
        assert fetch(entry) == place and fake_hub.requests == []

    def test_half_precision_files_are_preferred_and_nothing_else_is_fetched(
        self, tmp_path: Path, fake_hub: Any, tiny_pipelines: dict[str, Path]
    ) -> None:
        repository = Path(shutil.copytree(tiny_pipelines["epsilon"], tmp_path / "repository"))
        for path in list(repository.glob("*/*.safetensors")):
            shutil.copy(path, path.with_name(path.name.replace(".safetensors", ".fp16.safetensors")))
            path.with_suffix(".bin").write_bytes(b"pickle")
        fake_hub.repositories["somebody/tiny"] = repository
        names = {path.name for path in fetch(write_entry(tmp_path)).rglob("*")}
        assert {
            "model.fp16.safetensors",
            "diffusion_pytorch_model.fp16.safetensors",
            "vocab.json",
            "merges.txt",
        } < names
        assert not {"model.safetensors", "diffusion_pytorch_model.safetensors"} & names
        assert not any(name.endswith(".bin") for name in names)

    def test_a_mirror_stands_in_where_the_source_is_gone_or_gated(
        self, tmp_path: Path, fake_hub: Any, tiny_pipelines: dict[str, Path]
    ) -> None:
        fake_hub.gated.add("other/tiny")
        fake_hub.repositories["third/tiny"] = tiny_pipelines["epsilon"]
        entry = write_entry(tmp_path, mirrors=["other/tiny", "third/tiny"])
        assert "third--tiny" in str(fetch(entry)) and installed(entry)

    def test_gone_everywhere(self, tmp_path: Path, fake_hub: Any) -> None:
        fake_hub.gated.add("other/tiny")
        with pytest.raises(MissingError, match=r"somebody/tiny is not on the Hub.*other/tiny asks everyone"):
            fetch(write_entry(tmp_path, mirrors=["other/tiny"]))

    def test_a_licence_gate_says_where_to_accept(self, tmp_path: Path, fake_hub: Any) -> None:
        fake_hub.gated.add("somebody/tiny")
        with pytest.raises(MissingError, match=r"https://huggingface\.co/somebody/tiny.*hf auth login"):
            fetch(write_entry(tmp_path, revision="main", unpinned=True))

    def test_a_repository_that_lacks_files(
        self, tmp_path: Path, fake_hub: Any, tiny_pipelines: dict[str, Path]
    ) -> None:
        repository = Path(shutil.copytree(tiny_pipelines["epsilon"], tmp_path / "repository"))
        shutil.rmtree(repository / "vae")
        fake_hub.repositories["somebody/tiny"] = repository
        with pytest.raises(MissingError, match=r"somebody/tiny lacks vae"):
            fetch(write_entry(tmp_path))

    def test_offline_with_nothing_in_the_cache(self, tmp_path: Path, cache: Path) -> None:
        with pytest.raises(MissingError, match=r"could not be fetched.*network connection"):
            # a pinned one is tried again for half a minute
            fetch(write_entry(tmp_path, revision="main", unpinned=True))

    def test_no_room_is_found_before_anything_is_fetched(self, tmp_path: Path, fake_hub: Any) -> None:
        with pytest.raises(StorageError, match="999999999 MB"):
            fetch(write_entry(tmp_path, size_mb=999_999_999))
        assert fake_hub.requests == []

    def test_a_local_prior_is_not_fetched(self, tmp_path: Path) -> None:
        with pytest.raises(MissingError, match="Restore that folder"):
            fetch(write_entry(tmp_path, source="./nowhere", revision=None, size_mb=None))


def answered(kind: type, status: int) -> Exception:
    response = SimpleNamespace(
        status_code=status, headers={}, request=None, url="https://huggingface.co/somebody/tiny"
    )
    return kind("refused", response=response)


@pytest.mark.parametrize(
    ("error", "raised_as", "message"),
    [
        (answered(errors.GatedRepoError, 403), MissingError, "licence"),
        (answered(errors.RepositoryNotFoundError, 401), MissingError, "private"),
        (answered(errors.RevisionNotFoundError, 404), MissingError, "at that revision"),
        (answered(errors.HfHubHTTPError, 403), MissingError, "hf auth login"),
        (answered(errors.HfHubHTTPError, 503), MissingError, "answered 503"),
        (errors.LocalEntryNotFoundError("cannot reach the Hub"), MissingError, "network connection"),
        (OSError(errno.ENOSPC, "No space left on device"), StorageError, "disk is full"),
        (PermissionError(errno.EACCES, "Permission denied"), StorageError, "HF_HOME"),
        (ConnectionResetError("line broke"), MissingError, "line broke"),
    ],
)
def test_what_the_client_raises_is_said_in_our_words(
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    raised_as: type,
    message: str,
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> str:
        raise error

    monkeypatch.setattr(huggingface_hub.HfApi, "list_repo_tree", refuse)
    with pytest.raises(raised_as, match=message) as raised:
        fetch(write_entry(tmp_path))
    assert raised.value.remedy and "somebody/tiny" in raised.value.what


def test_a_progress_share_never_falls() -> None:
    seen: list[float] = []
    report = hub.rising(seen.append)
    for share in (0.1, 0.5, 0.0, 0.3, 0.7):
        report(share)
    assert seen == [0.1, 0.5, 0.5, 0.5, 0.7]
