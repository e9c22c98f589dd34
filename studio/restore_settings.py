"""Results come home: the recipe in a file that was exported here sets the tab, the words and all settings
again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from engine.errors import InputError, StudioError
from engine.loop.recipe import Recipe
from engine.loop.settings import Settings, Value, flatten
from engine.session.input_files import given_files
from studio.handlers import Handlers
from studio.messages import note, problem
from studio.preset_bar import Memory, Presetting
from studio.scheduled_changes import schedule_text
from studio.tabs import tab_of
from studio.uploads import check_uploads

MOST_BYTES = 1_000_000  # of a recipe: those of long runs with hundreds of live changes take a tenth of it
FILE = "The file"


def draw_restore() -> gr.UploadButton:
    """The button that takes the file, in the current Blocks; files dropped on the presets' card go to it,
    too.
    """
    return gr.UploadButton("From a file", size="sm", type="filepath", elem_id="mq-restore", min_width=0)


class Restoring:
    """The handler of the button."""

    def __init__(self, handlers: Handlers, presetting: Presetting) -> None:
        self.handlers, self.presetting = handlers, presetting

    def restore(self, memory: Memory, file: str | None) -> list[Any]:
        """Set the page as the recipe in ``file`` says, the seed kept.

        Returns (preset bar, schedule, problem, seed lock, *groups, *everything). The schedule are its live
        changes, which the next Generate makes again at their steps. A run that goes is told nothing. Files
        that are not on this machine are left out, and that is said.
        """
        bar = self.presetting.rest(Memory(memory.applied))
        try:
            recipe = recipe_in(file, self._folders())
            values, lost = self._with_known_files(recipe.settings)
        except StudioError as error:
            empty, *rest = self.handlers.nothing_shown(problem(error))
            return [*bar, gr.skip(), empty, gr.skip(), *rest]
        bar[1] = note(_summary(len(recipe.changes), lost), f"{Path(str(file)).name}:")
        tab = tab_of(flatten(recipe.settings)).key
        return [*bar, schedule_text(recipe), "", True, *self.handlers.set_all(values, tab)]

    def _folders(self) -> tuple[Path, ...]:
        return Path(get_upload_folder()), self.handlers.session.library.root

    def _with_known_files(self, settings: Settings) -> tuple[Mapping[str, Value], list[str]]:
        """The settings without files that are not here, and what these were for."""
        lost = {
            name.split()[0]
            for name, path in given_files(settings).items()
            if not _here(path, self._folders())
        }
        gone = lost | ({"image_crops"} if "images" in lost else set())
        return {**flatten(settings), **dict.fromkeys(gone, "")}, sorted(lost)


def recipe_in(file: str | None, folders: tuple[Path, ...]) -> Recipe:
    """The recipe in an uploaded file. Raises InputError where there is none, with the file's name and not its
    place.
    """
    if not isinstance(file, str) or not file:
        raise InputError("No file arrived.", "Choose it again.")
    path = Path(file)
    check_uploads({FILE: path}, folders)
    try:
        if not path.is_file():
            raise InputError(f"{path} is not a file.", "Choose it again.")
        if path.suffix.lower() == ".toml":
            _check_length(path.stat().st_size, path)
        from engine.loop.inspection import recipe_text  # imports torch

        text = recipe_text(path)
        _check_length(len(text), path)
        return Recipe.from_toml(text)
    except StudioError as error:
        raise InputError(error.what.replace(str(path), path.name), error.remedy) from error


def _check_length(count: int, path: Path) -> None:
    if count > MOST_BYTES:
        raise InputError(
            f"The recipe in {path} has {count} bytes; at most {MOST_BYTES} are read.",
            "Use the original file.",
        )


def _here(path: Path, folders: tuple[Path, ...]) -> bool:
    try:
        check_uploads({FILE: path}, folders)
        return path.is_file()
    except (StudioError, OSError):
        return False


def _summary(changes: int, lost: list[str]) -> str:
    words = "Its words and settings are here, and its seed is kept."
    if lost:
        words += f" What it names for {', '.join(lost)} is not here: add it again."
    if changes:
        many = "Its live change is" if changes == 1 else f"Its {changes} live changes are"
        words += f" {many} made again by Generate, at the same steps."
    return words
