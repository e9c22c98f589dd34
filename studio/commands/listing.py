"""``python -m studio presets``, ``priors`` (with ControlNets and models for photos) and ``kinds``."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from engine.errors import InputError, MissingError
from engine.loop.prompt_words import Kind, heard, kinds_known
from engine.loop.spec import RunSpec
from engine.prior import hub
from engine.prior.control.entries import (
    ControlEntry,
    control_ids,
    fetch_control,
    find_control,
    list_controls,
    local_folder,
)
from engine.prior.entries import Entry
from engine.prior.registry import PriorEntry, fetch, find_entry, installed, list_priors
from engine.prior.vision import entries as photo
from engine.prior.vision.entries import PhotoEntry, fetch_photo, find_photo, list_photo
from engine.session.fetching import MEGABYTE, offer_of
from engine.session.presets import find_preset, load_presets

PHOTO_SETTINGS = {"mask": "image_cut_out", "depth": "image_relief", "normals": "image_normals"}
"""Which setting names a model, by what it makes."""

INDENT = 16


def presets(key: str | None) -> None:
    """List all presets, or print the settings of one."""
    if key is not None:
        preset = find_preset(key)
        print(f"{preset.title}\n{preset.sentence}\n")
        for name, value in preset.values.items():
            print(f"  {name} = {value}")
        return
    loaded, broken = load_presets()
    for preset in loaded:
        print(f"{preset.key:<18} {preset.title}: {preset.sentence}")
    for error in broken:
        print(f"warning: {error}", file=sys.stderr)


def priors(wanted: str | None, *, accepted: bool) -> None:
    """List all priors, ControlNets and models for photos, or fetch one after size and licence were
    accepted.
    """
    if wanted is None:
        for entry in list_priors():
            print(_line(entry))
        for control in list_controls():
            print(control_line(control))
        for model in list_photo():
            print(photo_line(model))
        return
    if wanted in (*control_ids(), *(model.id for model in list_photo())):
        fetch_by_id(wanted, accepted=accepted, agreed=agreed)
        return
    entry = find_entry(wanted)
    if installed(entry):
        print(f"{entry.id} is already installed.")
        return
    print(_offered(entry))
    if not accepted and not agreed():
        raise MissingError(f"{entry.id} was not fetched.", "Answer y, or pass --yes.")
    print(f"{entry.id} is installed in {_fetched(entry)}")


def _offered(entry: PriorEntry) -> str:
    """What a person should know before a download."""
    offer = offer_of(entry)
    lines = [
        f"{entry.title}: about {offer.size_mb} MB",
        f"licence: {offer.licence}",
        f"page:    {offer.page}",
        f"target:  {offer.target}",
    ]
    gate = "Its publisher asks you to accept the licence on that page first, and to run: hf auth login"
    return "\n".join([*lines, gate] if offer.gated else lines)


def _fetched(entry: PriorEntry) -> Path:
    """Fetch with a bar that shows the share, the speed and the time left. Interrupted, it says that nothing
    is lost.
    """
    size = entry.size_mb * MEGABYTE
    with tqdm(total=size, unit="B", unit_scale=True, desc=entry.id) as bar:
        try:
            return fetch(entry, lambda share: bar.update(round(share * size) - bar.n))
        except KeyboardInterrupt:
            tqdm.write(f"What was fetched is kept. Go on with: python -m studio priors --fetch {entry.id}")
            raise


def agreed() -> bool:
    """Ask the person at the terminal; without one, no."""
    return sys.stdin.isatty() and input("Fetch it? [y/N] ").strip().lower() in ("y", "yes")


def _line(entry: PriorEntry) -> str:
    state = "installed" if installed(entry) else f"not installed, {entry.size_mb} MB"
    facts = [
        state,
        entry.licence,
        "its publisher asks you to accept the licence first" * entry.gated,
        f"about {entry.vram_gb:g} GB on a GPU" * bool(entry.vram_gb),
        f"needs {', '.join(entry.needs)}" * bool(entry.needs),
    ]
    return f"{entry.id:<27} {entry.title}  [{'; '.join(fact for fact in facts if fact)}]"


def kinds(sought: str | None) -> None:
    """List all kinds, or those that ``sought`` names; else say what it would be read as. Raises InputError if
    as nothing.
    """
    every = kinds_known()
    kinds_shown = (
        every if sought is None else [kind for kind in every if _matches(kind, sought.lower().strip())]
    )
    if not kinds_shown and sought is not None:
        reading = heard(RunSpec(sought))
        print("\n".join((*reading.notes, f"{sought} is made as: {reading.prompt}")))
        return
    width = shutil.get_terminal_size().columns
    for kind in kinds_shown:
        print(textwrap.fill(_kind_line(kind), width, subsequent_indent=" " * INDENT))
    if sought is None:
        print(
            f"\n{len(every)} kinds. Other words are read as the nearest of them; python -m studio kinds "
            "eagle says which."
        )


def _matches(kind: Kind, sought: str) -> bool:
    if not sought:
        raise InputError("The word to look for is empty.", "Leave it out to list every kind.")
    return any(sought in name for name in (kind.name, *kind.synonyms))


def _kind_line(kind: Kind) -> str:
    facts = [f"also: {', '.join(kind.synonyms)}"] * bool(kind.synonyms) + ["guided by the shelf"] * (
        not kind.learned
    )
    return f"{kind.name:<{INDENT - 1}} {'; '.join(facts)}".rstrip()


def control_line(entry: ControlEntry) -> str:
    """Its id, what it is, and whether it is here."""
    return _extra_line(entry, "ControlNet", local_folder(entry), "control")


def photo_line(entry: PhotoEntry) -> str:
    """The same of a model for photos."""
    return _extra_line(entry, "Photos", photo.local_folder(entry), PHOTO_SETTINGS[entry.makes])


def fetch_by_id(model_id: str, *, accepted: bool, agreed: Callable[[], bool]) -> None:
    """Fetch a ControlNet or a model for photos after size and licence were accepted. Raises MissingError
    where they were not.
    """
    if model_id in control_ids():
        control = find_control(model_id)
        _fetch(
            control, local_folder(control), lambda report: fetch_control(control, report), accepted, agreed
        )
    else:
        model = find_photo(model_id)
        _fetch(model, photo.local_folder(model), lambda report: fetch_photo(model, report), accepted, agreed)


def _extra_line(entry: Entry, what: str, place: Path | None, setting: str) -> str:
    state = "installed" if place is not None else f"not installed, {entry.size_mb} MB"
    return f"{entry.id:<27} {what}: {entry.title}  [{state}; {entry.licence}; for {setting} = {entry.id}]"


def _fetch(
    entry: Entry,
    place: Path | None,
    fetch: Callable[[hub.Report], Path],
    accepted: bool,
    agreed: Callable[[], bool],
) -> None:
    if place is not None:
        print(f"{entry.id} is already installed.")
        return
    print(f"{entry.title}: about {entry.size_mb} MB from {entry.source}; licence: {entry.licence}")
    if not accepted and not agreed():
        raise MissingError(f"{entry.id} was not fetched.", "Answer y, or pass --yes.")
    size = entry.size_mb * MEGABYTE
    with tqdm(total=size, unit="B", unit_scale=True, desc=entry.id) as bar:
        place = fetch(lambda share: bar.update(round(share * size) - bar.n))
    print(f"{entry.id} is installed in {place}")
