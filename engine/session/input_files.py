"""Files that a run is given: copied into its folder, so that it can be resumed when the place they came from
is gone.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from engine.assets.images.image_arguments import pictures_in
from engine.assets.images.input_files import kept_with, within
from engine.core.fields import File, marked_fields
from engine.core.paths import given_path
from engine.errors import InputError
from engine.loop.reference import input_files
from engine.loop.reference.reference_source import names_file
from engine.loop.settings import Settings, Value, flatten, with_values
from engine.session.library import library_errors
from engine.session.reference_lookup import References

GIVEN = "given"  # the folder inside a run's own
IMAGES, REFERENCE = "images", "reference"


def given_files(settings: Settings) -> dict[str, Path]:
    """The files that settings name, by setting; given pictures are numbered."""
    owners = (settings.spec, settings.knobs, settings.knobs.guidance, settings.knobs.timesteps)
    knobs = [
        knob
        for owner in owners
        for knob in marked_fields(owner)
        if isinstance(knob.mark, File) and knob.value
    ]
    pictures = {f"{IMAGES} {i}": each.path for i, each in enumerate(pictures_in(settings.spec.images), 1)}
    reference = settings.spec.reference
    model = {REFERENCE: input_files.path_in(reference)} if names_file(reference) else {}
    files = {**{knob.name: knob.value for knob in knobs}, **pictures, **model}
    return {name: given_path(path) for name, path in files.items()}


def with_own_files(settings: Settings, folder: Path, references: References | None = None) -> Settings:
    """``settings`` with copies of their files in the run's ``folder``, made now; a reference is looked up in
    ``references``.

    Raises InputError for a file or a reference that is not there, and StorageError if it cannot be copied.
    """
    if references is not None:
        with library_errors(folder):
            settings = references.settled(settings, folder)
    given = given_files(settings)
    for name, path in given.items():
        if not path.is_file():
            raise InputError(f"{name} names {path}, which is not a file.", "Choose the file again.")
    knobs = {
        name: path for name, path in given.items() if name != REFERENCE and not name.startswith(f"{IMAGES} ")
    }
    own = {name: str(_copied(path, folder / GIVEN / name)) for name, path in knobs.items()}
    with library_errors(folder):
        images = within(kept_with(settings.spec.images, folder), folder)
        reference = input_files.within(input_files.kept_with(settings.spec.reference, folder), folder)
    return with_values(settings, {**own, IMAGES: images, REFERENCE: reference})


def file_settings(settings: Settings) -> dict[str, Value]:
    """Settings by name, without the files of which a run has copies under other names."""
    return {
        name: value
        for name, value in flatten(settings).items()
        if name not in (IMAGES, REFERENCE, *given_files(settings))
    }


def _copied(path: Path, folder: Path) -> Path:
    with library_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copyfile(path, folder / path.name))


def forget_own_files(folder: Path) -> None:
    """Remove the copies again, where the run could not be begun."""
    shutil.rmtree(folder / GIVEN, ignore_errors=True)
