"""Looking a reference up: by name, by words, by picture, among earlier results; and the run's own copy of
it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from engine.assets.meshes.mesh_file import read_reference
from engine.assets.meshes.render_maps import thumbnail
from engine.errors import InputError, MissingError
from engine.loop.reference.provenance import Origin, origin_of
from engine.loop.reference.reference_source import MOST_CANDIDATES
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.retrieval.embed_views import shape_of
from engine.session.input_files import with_own_files
from engine.session.reference_lookup import References, own_folder

CHAIR = "toybox/701000"


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> References:
    return References(tmp_path_factory.mktemp("library"))


def asking(reference: str, prompt: str = "a red chair", **more: object) -> Settings:
    return Settings(RunSpec(prompt, reference=reference, **more), Knobs())


def taken(references: References, settings: Settings, folder: Path) -> Origin:
    reference = references.settled(settings, folder).spec.reference
    origin = origin_of(Path(reference.rpartition("#")[0]))
    assert origin is not None
    return origin


def test_words_bring_the_best_match_with_licence_and_similarity(
    references: References, tmp_path: Path
) -> None:
    best = references.matches(RunSpec("a red chair"), 5)
    origin = taken(references, asking("auto"), tmp_path)
    assert "chair" in origin.caption and "red" in origin.caption and origin.licence == "Apache-2.0"
    assert (origin.id, origin.similarity) == (best[0].item.id, pytest.approx(best[0].similarity))
    assert [match.similarity for match in best] == sorted((match.similarity for match in best), reverse=True)


def test_the_run_holds_the_very_shape_that_the_shelf_shows(references: References, tmp_path: Path) -> None:
    settled = references.settled(asking(f"shelf:{CHAIR}"), tmp_path)
    kept, shown = (
        read_reference(Path(settled.spec.reference.rpartition("#")[0])),
        shape_of(references.item(CHAIR)),
    )
    assert kept.facts.licence == "Apache-2.0" and kept.facts.title == references.item(CHAIR).caption
    difference = thumbnail(kept, 64).astype(int) - thumbnail(shown, 64)
    assert np.abs(difference).max() <= 2, "same pose, same size, same colours"


def test_what_was_picked_by_hand_is_compared_with_what_is_asked_for(
    references: References, tmp_path: Path
) -> None:
    like = taken(references, asking(f"shelf:{CHAIR}"), tmp_path / "like").similarity
    unlike = taken(references, asking(f"shelf:{CHAIR}", "a fish"), tmp_path / "unlike").similarity
    assert like is not None and like > 0.5 and unlike is None


def test_a_draw_is_among_the_best_and_the_seeds(references: References, tmp_path: Path) -> None:
    best = [match.item.id for match in references.matches(RunSpec("a chair"), 3)]
    asked = [asking("auto:3", "a chair", seed=seed) for seed in (0, 0, *range(1, 8))]
    drawn = [taken(references, settings, tmp_path).id for settings in asked]
    assert drawn[0] == drawn[1] and len(set(drawn)) > 1 and set(drawn) <= set(best)


def test_a_picture_counts_more_than_words(references: References, tmp_path: Path) -> None:
    seen = thumbnail(shape_of(references.item(CHAIR)), 128).astype(np.float32)
    alpha = np.maximum(seen[..., 3:], 1) / 255
    straight = np.concatenate([np.clip(seen[..., :3] / alpha, 0, 255), seen[..., 3:]], -1).astype(np.uint8)
    Image.fromarray(straight).save(tmp_path / "chair.png")
    spec = RunSpec("a fish", images=str(tmp_path / "chair.png"))
    assert all("chair" in match.item.caption for match in references.matches(spec, 3))


def test_words_that_fit_nothing_bring_nothing(references: References, tmp_path: Path) -> None:
    assert references.matches(RunSpec("xylography zeitgeist"), MOST_CANDIDATES) == []
    with pytest.raises(InputError, match="Nothing on the shelf"):
        references.settled(asking("auto", "xylography zeitgeist"), tmp_path)


@pytest.mark.parametrize(
    ("id", "near"), [("toybox/70100", "toybox/7010"), ("toybox/chair", "toybox/701"), ("?", "toybox/")]
)
def test_an_unknown_id_is_answered_with_the_nearest(id: str, near: str, references: References) -> None:
    with pytest.raises(InputError) as caught:
        references.item(id)
    assert id in caught.value.what and near in caught.value.remedy


def test_files_and_nothing_stay_as_they_are(references: References, tmp_path: Path) -> None:
    for reference in ("", "/models/chair.glb"):
        assert references.settled(asking(reference), tmp_path) == asking(reference)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_ones_own_is_a_second_shelf_in_which_nothing_is_written(tmp_path: Path) -> None:
    own = tmp_path / "models"
    own.mkdir()
    trimesh.creation.box((1, 2, 1)).export(own / "wardrobe.glb")
    (own / "LICENSE.txt").write_text("CC0\n")
    (own / "broken.glb").write_bytes(b"glTF")
    before = {path.name: path.read_bytes() for path in own.iterdir()}
    references = References(tmp_path / "library", own)
    assert {item.id for item in references.shelf().items} >= {"folder/wardrobe.glb", CHAIR}
    assert [file.name for file in references.shelf().unreadable] == ["broken.glb"]
    origin = taken(references, asking("auto", "an old wardrobe"), tmp_path / "run")
    assert (origin.id, origin.licence) == ("folder/wardrobe.glb", "CC0")
    assert {path.name: path.read_bytes() for path in own.iterdir()} == before
    assert (tmp_path / "run/given/reference/wardrobe.glb").read_bytes() == before["wardrobe.glb"]


def test_a_folder_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="gone"):
        References(tmp_path, tmp_path / "gone")
    assert own_folder({}) is None and own_folder({"MAQUETTE_SHELF": "/m"}) == Path("/m")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """With a run that is done, and one that is not."""
    done, waiting = tmp_path / "library/doneRun1", tmp_path / "library/waitingRun"
    for folder in (done, waiting):
        folder.mkdir(parents=True)
        (folder / "job.json").write_text("{}")
    trimesh.creation.icosphere().export(done / "mesh.glb")
    (done / "result.json").write_text(json.dumps({"prompt": "a blue ball", "prior": "toybox"}))
    return tmp_path / "library"


def test_an_earlier_result_is_taken_with_its_words(library: Path, tmp_path: Path) -> None:
    origin = taken(References(library), asking("run:doneRun1"), tmp_path / "run")
    assert (origin.id, origin.caption, origin.licence) == (
        "results/doneRun1",
        "a blue ball",
        "yours, made with toybox",
    )
    (library / "doneRun1/mesh.glb").unlink()
    assert (tmp_path / "run/given/reference/mesh.glb").is_file(), "the copy does not need it any more"


@pytest.mark.parametrize(("token", "told"), [("waitingRun", "no 3D result yet"), ("neverWas", "no run")])
def test_runs_without_a_result_and_unknown_ones_are_told_apart(token: str, told: str, library: Path) -> None:
    with pytest.raises(InputError, match=told):
        References(library).settled(asking(f"run:{token}"), library / "new")


def test_a_run_of_the_page_keeps_what_was_looked_up(references: References, tmp_path: Path) -> None:
    first = with_own_files(asking("auto"), tmp_path / "first", references)
    path = Path(first.spec.reference.rpartition("#")[0])
    assert path.is_file() and path.is_relative_to(tmp_path / "first" / "given" / "reference")
    again = with_own_files(first, tmp_path / "again", references)
    copy = Path(again.spec.reference.rpartition("#")[0])
    assert copy.read_bytes() == path.read_bytes() and origin_of(copy) == origin_of(path), (
        "its origin travels with it"
    )
    other = with_own_files(
        replace(first, spec=replace(first.spec, reference="")), tmp_path / "none", references
    )
    assert other.spec.reference == "" and not (tmp_path / "none").exists()
