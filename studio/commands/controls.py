"""ControlNets and models for photos in ``python -m studio priors``: one line each, and how to fetch one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from engine.errors import MissingError
from engine.prior import hub
from engine.prior.control.entries import ControlEntry, control_ids, fetch_control, find_control, local_folder
from engine.prior.entries import Entry
from engine.prior.vision import entries as photo
from engine.prior.vision.entries import PhotoEntry, fetch_photo, find_photo

MEGABYTE = 1_000_000
PHOTO_SETTINGS = {"mask": "image_cut_out", "depth": "image_relief"}
"""Which setting names a model, by what it makes."""


def control_line(entry: ControlEntry) -> str:
    """Its id, what it is, and whether it is here."""
    return _line(entry, "ControlNet", local_folder(entry), "control")


def photo_line(entry: PhotoEntry) -> str:
    """The same of a model for photos."""
    return _line(entry, "Photos", photo.local_folder(entry), PHOTO_SETTINGS[entry.makes])


def fetch_by_id(model_id: str, *, accepted: bool, agreed: Callable[[], bool]) -> None:
    """Fetch a ControlNet or a model for photos after size and licence were accepted. Raises MissingError where they were not."""
    if model_id in control_ids():
        control = find_control(model_id)
        _fetch(control, local_folder(control), lambda report: fetch_control(control, report), accepted, agreed)
    else:
        model = find_photo(model_id)
        _fetch(model, photo.local_folder(model), lambda report: fetch_photo(model, report), accepted, agreed)


def _line(entry: Entry, what: str, place: Path | None, setting: str) -> str:
    state = "installed" if place is not None else f"not installed, {entry.size_mb} MB"
    return f"{entry.id:<27} {what}: {entry.title}  [{state}; {entry.licence}; for {setting} = {entry.id}]"


def _fetch(
    entry: Entry, place: Path | None, fetch: Callable[[hub.Report], Path], accepted: bool, agreed: Callable[[], bool]
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
