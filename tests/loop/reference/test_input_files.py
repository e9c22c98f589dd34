"""The reference's file: known again, copied with what it needs, and never anything from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.loop.reference.input_files import companions, digest, existing_file, kept_with, path_in, within


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "chair.glb"
    path.parent.mkdir()
    path.write_bytes(b"a chair")
    return path


def test_it_is_copied_named_with_its_digest_and_found_again(model: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    kept = kept_with(str(model), run)
    assert (
        kept == f"given/reference/chair.glb#{digest(model)}" and path_in(kept) == "given/reference/chair.glb"
    )
    model.unlink()
    assert existing_file(kept, run).read_bytes() == b"a chair"
    assert kept_with(kept, run) == kept, "what lies there already stays"
    assert within(kept, run) == f"{run / 'given/reference/chair.glb'}#{digest(existing_file(kept, run))}"


def test_without_a_folder_and_without_a_reference(model: Path, tmp_path: Path) -> None:
    assert kept_with(str(model), None) == f"{model}#{digest(model)}"
    assert kept_with("", tmp_path) == within("", tmp_path) == ""
    assert within("elsewhere/chair.glb", tmp_path) == "elsewhere/chair.glb"


def test_one_that_is_gone_or_changed_is_refused(model: Path, tmp_path: Path) -> None:
    named = kept_with(str(model), None)
    model.write_bytes(b"another chair")
    with pytest.raises(InputError, match="changed"):
        existing_file(named, None)
    with pytest.raises(InputError, match="not there"):
        existing_file(str(tmp_path / "none.glb"), None)


def test_a_gltf_brings_the_files_beside_it_and_no_others(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    (folder / "parts").mkdir(parents=True)
    for name in ("a chair.bin", "parts/wood.png", "../secret.bin"):
        (folder / name).write_bytes(b"data")
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    uris = [
        "a%20chair.bin",
        "../secret.bin",
        "link.bin",
        str(tmp_path / "secret.bin"),
        "data:;base64,AAAA",
        "missing.bin",
        None,
    ]
    document = {"buffers": [{"uri": uri} for uri in uris], "images": [{"uri": "parts/wood.png"}]}
    path = folder / "chair.gltf"
    path.write_text(json.dumps(document))
    assert companions(path) == ("a chair.bin", "parts/wood.png")
    kept_with(str(path), tmp_path / "run")
    copies = {
        file.relative_to(tmp_path / "run").as_posix()
        for file in (tmp_path / "run").rglob("*")
        if file.is_file()
    }
    assert copies == {f"given/reference/{name}" for name in ("chair.gltf", "a chair.bin", "parts/wood.png")}


@pytest.mark.parametrize("text", ["", "[1, 2]", '{"buffers": 3}', "\xff"])
def test_a_damaged_gltf_brings_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "chair.gltf"
    path.write_text(text, encoding="latin-1")
    assert companions(path) == ()
