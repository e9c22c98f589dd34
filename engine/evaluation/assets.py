"""Finished assets: made from a prompt by the product's own run, or found in folders where earlier runs left
them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import FileFormatError, InputError
from engine.evaluation.prompts import PromptSet
from engine.loop import checkpoint
from engine.loop.messages import Event, Finished, SceneCopy, Unattended
from engine.loop.results import write_results
from engine.loop.run import run
from engine.loop.settings import Settings, flatten
from engine.prior.base import Prior

RESULT = "result.json"


@dataclass(frozen=True)
class Asset:
    """What a prompt became, or is to become, in ``folder``; ``settings`` is None for one that was found
    finished.
    """

    set_name: str
    name: str
    prompt: str
    folder: Path
    settings: Settings | None = None

    @property
    def finished(self) -> bool:
        """True if its run came to its end."""
        return (self.folder / RESULT).is_file() and (self.folder / checkpoint.NAME).is_file()

    def facts(self) -> dict[str, Any]:
        """The summary that its run left. Raises FileFormatError."""
        return _facts(self.folder)

    def fingerprint(self) -> str:
        """Changes when the asset is made anew."""
        return hashlib.sha256((self.folder / RESULT).read_bytes()).hexdigest()[:16]

    def copy(self) -> SceneCopy:
        """The finished scene. Raises FileFormatError."""
        return checkpoint.load_copy(self.folder)


def wanted_assets(sets: tuple[PromptSet, ...], settings: Settings, folder: Path) -> list[Asset]:
    """One asset for each prompt, each in a folder that is named after its prompt and all settings."""
    assets = []
    for one in sets:
        for number, prompt in enumerate(one.prompts, 1):
            own = replace(settings, spec=replace(settings.spec, prompt=prompt))
            mark = hashlib.sha256(json.dumps(flatten(own), sort_keys=True).encode()).hexdigest()[:8]
            name = f"{number:03d}-{_slug(prompt)}-{mark}"
            assets.append(Asset(one.name, name, prompt, folder / one.name / name, own))
    return assets


def existing_assets(folder: Path) -> list[Asset]:
    """Every finished run in ``folder`` and below. Raises InputError if there is none."""
    places = sorted({path.parent for path in folder.rglob(RESULT)}) if folder.is_dir() else []
    kept = [
        place
        for place in places
        if (place / checkpoint.NAME).is_file() and not place.name.startswith("earlier-")
    ]
    if not kept:
        raise InputError(f"{folder} holds no finished run: no {RESULT} with a {checkpoint.NAME} beside it.",
                         "Give a folder that python -m studio generate wrote, or one that holds "
                         "several.")  # fmt: skip
    names = [
        place.relative_to(folder).as_posix().replace("/", "-") if place != folder else folder.resolve().name
        for place in kept
    ]
    return [
        Asset(folder.resolve().name, name, str(_facts(place)["prompt"]), place)
        for name, place in zip(names, kept)
    ]


def make(asset: Asset, load_prior: Callable[[str], Prior], formats: tuple[str, ...]) -> Iterator[Event]:
    """Run an asset to its end, from its checkpoint where there is one, and write its files. Raises what the
    run raises.
    """
    assert asset.settings is not None, "an asset that was found is finished"
    spec, knobs = asset.settings.spec, asset.settings.knobs
    begun = (asset.folder / checkpoint.NAME).is_file()
    for event in run(spec, knobs, Unattended(), load_prior, folder=asset.folder, resume=begun):
        yield event
        if isinstance(event, Finished):
            write_results(event, spec.prior, asset.folder, formats)


def _facts(folder: Path) -> dict[str, Any]:
    try:
        facts = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        return {"seed": 0, "seconds": {}, **facts, "prompt": facts["prompt"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            f"{folder / RESULT} cannot be read ({error}).", "Make that asset again."
        ) from error


def _slug(prompt: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", prompt.lower()).strip("-")[:40] or "prompt"
