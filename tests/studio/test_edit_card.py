"""The Edit tab's handlers: what is edited and how, what is refused, and what is shown while it works."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from studio_doubles import catalogue, drawn_panel
from studio_serving import PATIENCE_SECONDS

from engine.loop.region_settings import DRAFT, FILL
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.session import Session
from studio import edit_sources
from studio.commands import edit
from studio.edit_sources import EXAMPLES
from studio.editing import ENERGY, IN_TURN, PAINT, PART, RESTYLE, SURFACE, TEXTURE, WEIGHTS, Editing
from studio.handlers import Handlers
from studio.tabs import EDIT, tab_of

BOX = "x=0.2:1,y=-1:1,z=-1:1"


class Desk:
    """The tab's handlers over a session of doubles; uploads lie in ``folder``."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.session, self.folder = session, folder
        self.panel = drawn_panel()
        self.editing = Editing(Handlers(session, catalogue(), self.panel.controls))

    def go(self, token: str = "", mesh: str | None = None, way: str = PAINT, words: str = "", was: str = "",
        region: str = "",
           sample: str = "", prior: str = "toybox", owner: str = "ada", strategy: str = TEXTURE,
           ) -> list[tuple[Any, ...]]:  # fmt: skip
        values = [field.value for field, _ in self.panel.controls.pairs]
        everything = [EDIT.key, "", "", prior, "sds", *values]
        return list(
            self.editing.go(token, owner, mesh, sample, way, strategy, words, was, region, *everything)
        )

    def upload(self, name: str) -> str:
        path = self.folder / name
        path.write_bytes(b"glTF")
        return str(path)

    def finished(self, prompt: str = "a red mug") -> str:
        token = self.session.submit(Settings(RunSpec(prompt, refine_steps=2), Knobs()), "ada")
        self.session.wait(token, PATIENCE_SECONDS)
        return token


@pytest.fixture
def desk(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    folder = tmp_path / "uploads"
    folder.mkdir()
    for module in ("studio.edit_sources", "studio.handlers"):
        monkeypatch.setattr(f"{module}.get_upload_folder", lambda: str(folder))
    return Desk(session, folder)


@pytest.fixture
def edits(monkeypatch: pytest.MonkeyPatch) -> list[edit.EditOptions]:
    """Edits of meshes are noted, take two steps and write nothing."""
    seen: list[edit.EditOptions] = []

    def made(options: edit.EditOptions, note) -> Iterator:
        seen.append(options)
        note("note: a word was read as another")
        yield from (SimpleNamespace(step=step, steps=2) for step in (1, 2))
        yield options.out / "mesh_textured.glb", options.out / "views.png", options.out / "edit.toml"

    monkeypatch.setattr(edit, "edits", made)
    return seen


def test_a_mesh_of_ones_own_is_painted_and_shown_before_and_after(desk: Desk, edits: list) -> None:
    mesh = desk.upload("chair.glb")
    begun, first, second, (_, told, view, files) = desk.go(mesh=mesh, words=" a red chair ")
    assert "begins" in begun[1] and "1 of 2" in first[1] and "2 of 2" in second[1]
    assert "Done." in told and "a word was read as another" in told
    (options,) = edits
    assert (options.source, options.paint, options.restyle) == (Path(mesh), "a red chair", None)
    assert options.out.is_relative_to(desk.folder) and files["visible"] and len(files["value"]) == 3
    shown = json.loads(view)
    assert shown == {"kind": "mesh", "before": mesh, "after": str(options.out / "mesh_textured.glb")}
    assert desk.editing.accept(view)[0] == shown["after"]
    assert desk.editing.undo()[1] == "" and "as it was" in desk.editing.undo()[0]


def test_views_attend_to_each_other_along_the_surface_where_that_is_chosen(desk: Desk, edits: list) -> None:
    mesh = desk.upload("chair.glb")
    for strategy in (TEXTURE, SURFACE, IN_TURN):
        desk.go(mesh=mesh, words="a red chair", strategy=strategy)
    assert [(options.strategy, options.correspondence) for options in edits] == [
        ("together", None),
        ("together", True),
        ("in turn", None),
    ]


def test_a_run_knows_what_it_is(desk: Desk, edits: list, monkeypatch: pytest.MonkeyPatch) -> None:
    token = desk.finished()
    monkeypatch.setattr(edit_sources, "MESHES", ("ply",))  # the double writes no mesh
    desk.go(token, way=RESTYLE, words="a blue mug")
    desk.go(token, way=RESTYLE, words="a blue mug", was="a small red mug")
    assert [(each.restyle, each.was, each.paint) for each in edits] == [
        ("a blue mug", "a red mug", None),
        ("a blue mug", "a small red mug", None),
    ]
    assert all(each.source.is_relative_to(desk.session.library.folder(token)) for each in edits)


def test_a_part_is_a_run_that_sets_out_from_the_scene(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    token = desk.finished()
    made = desk.upload("scene.ply")
    monkeypatch.setattr(desk.editing.sources, "splats", lambda *asked: Path(made))
    _, (new, told, view, _) = desk.go(token, way=PART, words="a red mug with a blue handle", region=BOX)
    spec = desk.session.settings(new).spec
    assert (spec.start, spec.region, spec.region_was, spec.region_start) == ("file", BOX, "a red mug", DRAFT)
    assert (
        spec.prompt == "a red mug with a blue handle"
        and Path(spec.start_file).read_bytes() == Path(made).read_bytes()
    )
    assert json.loads(view) == {"kind": "run", "before": token, "after": new} and "Begun." in told
    assert tab_of({"region": BOX}) is EDIT, "it is shown in the tab that it was asked for in"
    _, (other, *_) = desk.go(token, way=PART, words="a blue mug", region=BOX, prior="plain")
    assert desk.session.settings(other).spec.region_start == FILL, "a prior of single views fills the box"


def test_energies_need_no_words_and_no_box(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    token = desk.finished()
    made = desk.upload("scene.ply")
    monkeypatch.setattr(desk.editing.sources, "splats", lambda *asked: Path(made))
    _, (new, *_) = desk.go(token, way=ENERGY, region=BOX)
    spec = desk.session.settings(new).spec
    assert (spec.prompt, spec.region, spec.start) == ("a red mug", "", "file")


def test_what_cannot_be_edited_is_told_and_nothing_begins(desk: Desk, edits: list, tmp_path: Path) -> None:
    secret = tmp_path / "secret.glb"
    secret.write_bytes(b"glTF")
    mesh = desk.upload("chair.glb")
    for asked, told in (
        ({"mesh": mesh, "words": " "}, "no words"),
        ({"words": "a red mug"}, "nothing to edit"),
        ({"mesh": str(secret), "words": "a red mug"}, "not uploaded"),
        ({"token": "nobody", "words": "a red mug"}, "no run"),
        ({"mesh": mesh, "way": PART, "words": ""}, "no words"),
        ({"mesh": mesh, "way": PART, "words": "a red mug"}, "no box"),
        ({"mesh": mesh, "way": PART, "words": "a red mug", "region": "front"}, ""),
    ):
        *_, last = desk.go(**asked)
        assert told in last[1] and "mq-fault" in last[1], last[1]
    assert edits == [] and desk.session.jobs("ada") == ()


def test_every_way_has_an_example_that_fills_the_card(desk: Desk) -> None:
    assert [each.way for each in EXAMPLES] == [PAINT, PART, RESTYLE, ENERGY]
    for each in EXAMPLES:
        mesh, sample, way, words, _, region, about, _, button, *weights = desk.editing.fill(f"{each.key} 7")
        assert any(weights) == (way == ENERGY)
        assert (mesh, sample, way, words, region) == ("", each.source, each.way, each.words, each.region)
        assert "mq-note" in about and button["value"]
        assert desk.editing.sources.mesh("", each.source).stat().st_size > 1000
        assert desk.editing.sources.words("", each.source)
    assert len(desk.editing.fill("nothing")) == len(desk.panel.edit.filled) + len(WEIGHTS)
