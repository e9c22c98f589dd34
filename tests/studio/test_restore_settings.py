"""An exported file or a recipe brings its tab, words and settings back to the page; what is none is refused
in words.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from studio_doubles import catalogue, drawn_panel
from test_bad_uploads import BAD

from engine.assets.export import glb, sheet
from engine.loop.recipe import Change, Recipe
from engine.loop.settings import Settings, flatten, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.session import Session
from studio.handlers import HEADS, Handlers
from studio.panel import Panel
from studio.preset_bar import Memory, Presetting
from studio.restore_settings import MOST_BYTES, Restoring
from studio.scheduled_changes import schedule_in

if TYPE_CHECKING:  # only the test in a browser needs it
    from playwright.sync_api import Browser

BAR = 6
CHANGED = {
    "prior": "toybox",
    "splats": 1234,
    "seed": 77,
    "scene": "field",
    "method": "lods",
    "prior_learning_rate": 0.02,
}
MINE = with_values(Settings(RunSpec("a blue chair", "fog"), Knobs()), CHANGED)


class Desk:
    """The handler over a session of doubles; what it answers is taken apart."""

    def __init__(self, session: Session, panel: Panel) -> None:
        self.panel = panel
        self.handlers = Handlers(session, catalogue(), self.panel.controls)
        self.restoring = Restoring(self.handlers, Presetting(self.handlers))

    def restore(self, file: Any) -> None:
        answer = self.restoring.restore(Memory("toybox-splats"), file)
        assert len(answer) == BAR + 3 + len(self.panel.groups) + HEADS + len(self.panel.controls.pairs)
        self.note, self.schedule, self.problem, self.lock = answer[1], *answer[BAR : BAR + 3]
        self.everything = [self._value(each) for each in answer[-HEADS - len(self.panel.controls.pairs) :]]

    def _value(self, update: Any) -> Any:
        return update.get("value") if isinstance(update, dict) else update

    def settings(self) -> Settings:
        """What the controls would begin a run with; those that were left alone are as they were drawn."""
        drawn = [field.value for field, _ in self.panel.controls.pairs]
        given = [old if new is None else new for new, old in zip(self.everything[HEADS:], drawn, strict=True)]
        return self.handlers.settings([*self.everything[:HEADS], *given])


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    (tmp_path / "uploads" / "abc").mkdir(parents=True)
    return tmp_path / "uploads" / "abc"


@pytest.fixture(scope="module")
def panel() -> Panel:
    return drawn_panel()


@pytest.fixture
def desk(session: Session, panel: Panel) -> Desk:
    return Desk(session, panel)


def as_toml(recipe: Recipe, folder: Path) -> Path:
    path = folder / "recipe.toml"
    path.write_text(recipe.to_toml(), encoding="utf-8")
    return path


def as_glb(recipe: Recipe, folder: Path) -> Path:
    corners = np.eye(3, dtype=np.float32)
    path = folder / "chair.glb"
    glb.write_glb(
        path, corners, np.array([[0, 1, 2]], np.uint32), np.ones((3, 3), np.float32), recipe=recipe.to_toml()
    )
    return path


def as_sheet(recipe: Recipe, folder: Path) -> Path:
    path = folder / "views.png"
    sheet.write_sheet(path, np.zeros((2, 8, 8, 4), np.uint8), recipe=recipe.to_toml())
    return path


@pytest.mark.parametrize("written", [as_toml, as_glb, as_sheet])
def test_a_file_of_ours_sets_the_page_as_its_run_began(
    desk: Desk, uploads: Path, written: Callable[[Recipe, Path], Path]
) -> None:
    desk.restore(str(written(Recipe(MINE), uploads)))
    assert desk.problem == "" and desk.lock is True and "live change" not in desk.note
    assert desk.everything[:HEADS] == ["text", "a blue chair", "fog", "toybox", "lods"]
    told, asked = flatten(desk.settings()), flatten(MINE)
    assert {name: told[name] for name in (*CHANGED, "prompt")} == {
        name: asked[name] for name in (*CHANGED, "prompt")
    }


@pytest.mark.parametrize(("count", "words"), [(1, "Its live change is"), (3, "Its 3 live changes are")])
def test_live_changes_are_counted(desk: Desk, uploads: Path, count: int, words: str) -> None:
    changes = tuple(Change(step, step, {"guidance_scale": 5.0}) for step in range(1, count + 1))
    desk.restore(str(as_toml(Recipe(MINE, changes), uploads)))
    assert words in desk.note and desk.problem == ""
    again = schedule_in(desk.schedule)
    assert [(change.total_step, change.values) for change in again] == [
        (change.total_step, change.values) for change in changes
    ]


@pytest.mark.parametrize(("setting", "tab"), [("images", "image"), ("reference", "reference")])
def test_what_a_recipe_names_and_is_not_an_upload_is_left_out_and_told(
    desk: Desk, uploads: Path, tmp_path: Path, setting: str, tab: str
) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    for path in (secret, uploads / "gone.png", Path("given/images/mug.png")):
        desk.restore(str(as_toml(Recipe(with_values(MINE, {setting: str(path)})), uploads)))
        assert desk.everything[0] == tab and desk.problem == ""
        assert f"names for {setting} is not here" in desk.note
        place = next(k for k, (field, _) in enumerate(desk.panel.controls.pairs) if field.name == setting)
        assert desk.everything[HEADS + place] == ""


def test_an_uploaded_picture_stays(desk: Desk, uploads: Path) -> None:
    picture = uploads / "mug.png"
    picture.write_bytes(b"picture")
    desk.restore(str(as_toml(Recipe(with_values(MINE, {"images": f"{picture}@30"})), uploads)))
    assert desk.everything[0] == "image" and "not here" not in desk.note
    assert f"{picture}@30" in desk.everything


SOUND = b"maquette_recipe = 1\nprompt = 'a'\n"
BROKEN = {
    "nothing.toml": b"", "letters.toml": b"\xff\xfe", "other.toml": b"a = 1",
    "deep.toml": b"a = " + b"[" * 5000,
    "long.toml": SOUND + b"#" + b"x" * MOST_BYTES, "list.toml": SOUND + b"change = 3",
    "numbers.toml": SOUND + b"change = [3]",
    "facts.toml": SOUND + b"facts = 3", "method.toml": SOUND + b"method = [1]",
    "huge.toml": SOUND + b"splats = 1" + b"0" * 400,
    "name.toml": SOUND + b"splat = 3", "scene.ply": b"ply", "a.png": b"\x89PNG", "a.glb": b"glTF",
    "a.mp4": b"mp4",
    "letter.docx": b"PK",
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_holds_no_recipe_is_refused_in_words_and_changes_nothing(
    desk: Desk, uploads: Path, name: str
) -> None:
    (uploads / name).write_bytes(BROKEN[name])
    desk.restore(str(uploads / name))
    assert "mq-fault" in desk.problem and str(uploads) not in desk.problem
    assert all(value is None for value in desk.everything) and desk.note == "" and desk.lock != True  # noqa: E712


@pytest.mark.parametrize("suffix", [".toml", ".ply", ".glb", ".png", ".mp4"])
@pytest.mark.parametrize("kind", BAD)
def test_strange_files_are_refused_in_words(desk: Desk, uploads: Path, kind: str, suffix: str) -> None:
    desk.restore(str(BAD[kind](uploads / f"thing{suffix}")))
    assert "mq-fault" in desk.problem and "secret" not in desk.problem


@pytest.mark.parametrize("crafted", [None, "", 3, ["a"], {"path": "a"}, "/etc/passwd", "../../x.toml"])
def test_what_is_no_upload_is_refused(desk: Desk, uploads: Path, crafted: Any) -> None:
    desk.restore(crafted)
    assert "mq-fault" in desk.problem


@pytest.mark.heavy
@pytest.mark.browser
def test_in_the_page_a_file_is_chosen_or_dropped(browser: Browser, double_page: str, tmp_path: Path) -> None:
    from browsing import visiting
    from playwright.sync_api import expect

    chosen, text = (
        as_toml(Recipe(MINE), tmp_path),
        Recipe(with_values(MINE, {"prompt": "a red mug", "seed": 5})).to_toml(),
    )
    with visiting(browser, double_page) as page:
        with page.expect_file_chooser() as choosing:
            page.click("#mq-restore")
        choosing.value.set_files(chosen)
        expect(page.locator("#mq-prompt textarea")).to_have_value("a blue chair")
        expect(page.locator("#mq-seed input")).to_have_value("77")
        expect(page.locator("#mq-preset-note")).to_contain_text(
            "recipe.toml: Its words and settings are here"
        )
        data = page.evaluate_handle(
            "(text) => { const data = new DataTransfer(); data.items.add(new File([text], "
            "'dropped.toml')); return data; }",
            text,
        )
        page.dispatch_event("#mq-preset", "drop", {"dataTransfer": data})
        expect(page.locator("#mq-prompt textarea")).to_have_value("a red mug")
        expect(page.locator("#mq-seed input")).to_have_value("5")
        expect(page.locator("#mq-seed-lock input")).to_be_checked()
