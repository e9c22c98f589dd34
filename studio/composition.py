"""A studio's engine side, put together: the session, its priors and presets. It imports no page.

``studio.app`` serves it, ``studio.open`` hands it to a program.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import cast

from engine.errors import InputError, MissingError, StudioError
from engine.guidance.base import Guidance
from engine.lazy import Later, imported
from engine.loop.devices import free_memory, limit_threads
from engine.loop.memory_check import check_room
from engine.loop.prompt_words import heard
from engine.loop.settings import Settings
from engine.loop.spec import RunSpec
from engine.loop.validation import check_combination
from engine.prior.capabilities import info_of, known_info, reads_words
from engine.prior.entries import PriorEntry
from engine.prior.registry import fetch, find_entry, installed, list_priors, load_prior
from engine.session import Session
from engine.session.exports import Exports
from engine.session.fetching import Fetching, offer_of
from engine.session.job_views import Frames
from engine.session.limits import Limits
from engine.session.presets import load_presets
from engine.session.reference_lookup import References
from engine.session.worker import Run
from studio.catalogue import Catalogue, PriorChoice

COMPUTING = ("engine.loop.run", "engine.loop.frames", "engine.loop.results", "engine.loop.checkpoint",
    "engine.loop.warmup",
             "engine.retrieval.search", "engine.retrieval.shelf", "engine.prior.memory_savings",
             "engine.prior.toybox.prior")  # fmt: skip
"""Modules that import torch, numba and the like: seconds that the page does not wait for."""


def prepare() -> None:
    """Import what runs compute with, in one thread and while no other works: two at once find a library half
    made.
    """
    for name in COMPUTING:
        imported(name)
    limit_threads()


def open_session(library: Path, shelf: Path | None = None, run: Run | None = None) -> Session:
    """The session over the runs in ``library``, with the engine's parts put together; not started.

    References are looked up among the models in the folder ``shelf``, too. ``run`` stands for the engine's.
    Raises MissingError if the folder is not there.
    """
    keep_one = lru_cache(maxsize=1)(load_prior)  # the next run with the same prior begins at once
    references = References(library, shelf)
    return Session(
        library,
        run or (lambda *given, **named: imported("engine.loop.run").run(*given, **named)),
        cast(Frames, Later("engine.loop.frames")),
        lambda *given: imported("engine.loop.results").write_results(*given),
        keep_one,
        load_copy=lambda folder: imported("engine.loop.checkpoint").load_copy(folder),
        check=_check,
        references=references,
        settle=lambda folder: imported("engine.loop.checkpoint").settle(folder),
        prepare=prepare,
    )


def open_exports(session: Session) -> Exports:
    """The exports of a session's runs, written by the engine."""
    return Exports(session, lambda *given: imported("engine.loop.exporting").export(*given))


def open_catalogue() -> Catalogue:
    """Presets and priors as they are on this machine now."""
    entries = list_priors()
    choices = tuple(_choice(entry) for entry in entries)
    fetching = open_fetching(entries)
    return Catalogue(load_presets(), choices, notes_on, refusal, fetching)


def open_fetching(entries: Sequence[PriorEntry]) -> Fetching:
    """What the page downloads: the entries that lie on the Hub."""
    known = {entry.id: entry for entry in entries if not entry.is_local}
    offers = {key: offer_of(entry) for key, entry in known.items()}
    return Fetching(offers, lambda key, report: fetch(known[key], report), lambda key: installed(known[key]))


def refusal(prior_id: str, method: Guidance) -> str:
    """Why a method cannot work with a prior, and what would; empty where it can, or where nothing is known of
    the prior.
    """
    info = info_of(prior_id)
    try:
        if info is not None:
            method.check(info)
    except InputError as error:
        return str(error)
    return ""


def notes_on(spec: RunSpec) -> tuple[str, ...]:
    """What becomes of the words of a run, or why they cannot be used."""
    try:
        return heard(spec).notes
    except StudioError as error:
        return (error.what, error.remedy)


def _choice(entry: PriorEntry) -> PriorChoice:
    missing = "" if installed(entry) else _how_to_fetch(entry)
    known = {
        "any_words": not entry.vocabulary,
        "no_words": not reads_words(entry),
        "offers": offers_of(entry.id),
    }
    return PriorChoice(entry.id, entry.title, missing, home_scale=entry.default_guidance_scale, **known)


def offers_of(prior_id: str) -> frozenset[str]:
    """The flags that are set in what is known of a prior."""
    info = info_of(prior_id)
    return (
        frozenset()
        if info is None
        else frozenset(name for name, value in vars(info).items() if value is True)
    )


def _check(settings: Settings) -> None:
    entry = find_entry(settings.spec.prior)
    if not installed(entry):
        raise MissingError(f"{entry.title} is not on this machine.", _how_to_fetch(entry))
    heard(settings.spec)
    info = known_info(entry)
    if info is not None:
        check_combination(settings, info)
    check_room(settings, free_memory(), Limits.memory_share)


def _how_to_fetch(entry: PriorEntry) -> str:
    if entry.is_local:
        return f"Restore its folder {entry.local_source} from the repository."
    how = f"or run: python -m studio priors --fetch {entry.id}"
    return f"Choose it in the Prior menu to download it ({entry.size_mb} MB, licence {entry.licence}), {how}"
