"""``python -m studio presets`` and ``python -m studio priors``."""

from __future__ import annotations

import sys
from pathlib import Path

from tqdm import tqdm

from engine.errors import MissingError
from engine.prior.control.entries import control_ids, list_controls
from engine.prior.registry import PriorEntry, fetch, find_entry, installed, list_priors
from engine.prior.vision.entries import list_photo
from engine.session.fetching import MEGABYTE, offer_of
from engine.session.presets import find_preset, load_presets
from studio.commands.controls import control_line, fetch_by_id, photo_line


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
    """List all priors, ControlNets and models for photos, or fetch one after size and licence were accepted."""
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
    """Fetch with a bar that shows the share, the speed and the time left. Interrupted, it says that nothing is lost."""
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
