"""ControlNets in ``python -m studio priors``: one line each, and how to fetch one."""

from __future__ import annotations

from collections.abc import Callable

from tqdm import tqdm

from engine.errors import MissingError
from engine.prior.control.entries import ControlEntry, find_control
from engine.prior.control.fetching import fetch_control, local_folder

MEGABYTE = 1_000_000


def control_line(entry: ControlEntry) -> str:
    """Its id, what it is, and whether it is here."""
    state = "installed" if local_folder(entry) is not None else f"not installed, {entry.size_mb} MB"
    return f"{entry.id:<27} ControlNet: {entry.title}  [{state}; {entry.licence}; for control = {entry.id}]"


def fetch_by_id(control_id: str, *, accepted: bool, agreed: Callable[[], bool]) -> None:
    """Fetch a ControlNet after size and licence were accepted. Raises MissingError where they were not."""
    entry = find_control(control_id)
    if local_folder(entry) is not None:
        print(f"{entry.id} is already installed.")
        return
    print(f"{entry.title}: about {entry.size_mb} MB from {entry.source}; licence: {entry.licence}")
    if not accepted and not agreed():
        raise MissingError(f"{entry.id} was not fetched.", "Answer y, or pass --yes.")
    size = entry.size_mb * MEGABYTE
    with tqdm(total=size, unit="B", unit_scale=True, desc=entry.id) as bar:
        place = fetch_control(entry, lambda share: bar.update(round(share * size) - bar.n))
    print(f"{entry.id} is installed in {place}")
