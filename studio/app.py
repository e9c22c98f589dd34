"""The composition root: the one file that builds things; nothing else in ``studio`` makes a Session."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from pathlib import Path

from starlette.routing import BaseRoute

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
from engine.session import Session, default_root
from engine.session.fetching import Fetching, offer_of
from engine.session.limits import Limits
from engine.session.presets import load_presets
from engine.session.reference_lookup import References, own_folder
from studio.blocks_editor import blocks_routes
from studio.catalogue import Catalogue, PriorChoice
from studio.downloads import download_routes
from studio.given_pictures import given_route
from studio.guard import Access, access_for, is_loopback
from studio.live import live_route
from studio.page import build_page
from studio.preview import cut_now, preview_routes, remembering
from studio.reference_overlay import ghost_routes
from studio.reference_routes import reference_routes
from studio.server import Serving, open_port
from studio.viewport import Viewports
from studio.viser_proxy import viewport_routes

LIVE_THREADS = 48  # one waits for a picture and one for the status in each open browser tab
LOOKING_THREADS = 2  # one picture is cut out in each
UPLOADS = "uploads"  # in the library's folder
COMPUTING = ("engine.loop.run", "engine.loop.frames", "engine.loop.results", "engine.loop.checkpoint", "engine.loop.warmup",
             "engine.retrieval.search", "engine.retrieval.shelf", "engine.prior.memory_savings",
             "engine.prior.toybox.prior")  # fmt: skip
"""Modules that import torch, numba and the like: seconds that the page does not wait for."""


def serve(
    *,
    host: str,
    port: int,
    share: bool,
    library: Path | None = None,
    shelf: Path | None = None,
    allow_hosts: Sequence[str] = (),
    logins: Sequence[tuple[str, str]] = (),
) -> None:
    """Serve the studio until it is interrupted. Raises StudioError if the port, the library or the shelf cannot be used."""
    root = library or default_root(os.environ)
    os.environ.setdefault("GRADIO_TEMP_DIR", str(root.expanduser().absolute() / UPLOADS))  # where nobody else's uploads lie
    access = access_for(host, allow_hosts, os.environ)
    if warning := open_to_all(host, share, logins, os.environ):
        print(warning, flush=True)
    session = open_session(root, shelf or own_folder(os.environ))
    session.open()
    try:
        others = session.library.others()
        if others:
            print(f"Note: {others} other Maquette {'works' if others == 1 else 'work'} on {session.library.root}, too. "
                  "Runs that they look after are left to them and not shown here.", flush=True)  # fmt: skip
        page = {"host": host, "port": port, "share": share, "access": access, "logins": logins}
        serve_page(session, open_catalogue(), on_ready=partial(_ready, session), **page)
    finally:
        session.close()


def open_to_all(host: str, share: bool, logins: Sequence[tuple[str, str]], environment: Mapping[str, str]) -> str:
    """What to be warned of: that strangers may come in; empty where they may not, or where that is the purpose of a Space."""
    if logins or environment.get("SPACE_ID") or (is_loopback(host) and not share):
        return ""
    who = "anybody who has the public link" if share else "everybody who reaches this machine over the network"
    return f"Warning: there is no login, so {who} can use this studio. Add --auth USER:PASSWORD to ask for one."


def _ready(session: Session, serving: Serving) -> None:
    """Tell where the page is, and only then begin to work, and compile what the first run will need."""
    _announce(serving)
    session.start()
    from engine.loop.warmup import warm_up

    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()


def prepare() -> None:
    """Import what runs compute with, in one thread and while no other works: two at once find a library half made."""
    for name in COMPUTING:
        imported(name)
    limit_threads()


def open_session(library: Path, shelf: Path | None = None) -> Session:
    """The session over the runs in ``library``, with the engine's parts put together; not started.

    References are looked up among the models in the folder ``shelf``, too. Raises MissingError if it is not there.
    """
    keep_one = lru_cache(maxsize=1)(load_prior)  # the next run with the same prior begins at once
    references = References(library, shelf)
    return Session(
        library,
        lambda *given, **named: imported("engine.loop.run").run(*given, **named),
        Later("engine.loop.frames"),
        lambda *given: imported("engine.loop.results").write_results(*given),
        keep_one,
        load_copy=lambda folder: imported("engine.loop.checkpoint").load_copy(folder),
        check=_check,
        references=references,
        settle=lambda folder: imported("engine.loop.checkpoint").settle(folder),
        prepare=prepare,
    )


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
    """Why a method cannot work with a prior, and what would; empty where it can, or where nothing is known of the prior."""
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


def serve_page(
    session: Session,
    catalogue: Catalogue,
    *,
    host: str,
    port: int,
    share: bool,
    on_ready: Callable[[Serving], None],
    access: Access | None = None,
    logins: Sequence[tuple[str, str]] = (),
) -> None:
    """Serve the page of ``session`` until the process is interrupted; ``on_ready`` is called once it answers.

    ``access`` and ``logins`` are those of `studio.server.open_port`.
    """
    viewports = Viewports(session, most=session.limits.viewports)
    pool = ThreadPoolExecutor(LIVE_THREADS, thread_name_prefix="live")
    looking = ThreadPoolExecutor(LOOKING_THREADS, thread_name_prefix="looking")
    routes = own_routes(session, viewports, pool, looking)
    place = {"host": host, "port": port, "share": share, "access": access, "logins": logins, "limits": session.limits}
    serving = open_port(build_page(session, catalogue), routes, **place)
    try:
        on_ready(serving)
        threading.Event().wait()
    finally:
        viewports.close()
        if catalogue.fetching is not None:
            catalogue.fetching.close()
        pool.shutdown(wait=False, cancel_futures=True)
        looking.shutdown(wait=False, cancel_futures=True)
        serving.close()


def own_routes(session: Session, viewports: Viewports, pool: ThreadPoolExecutor, looking: ThreadPoolExecutor) -> list[BaseRoute]:
    """Everything that is answered beside Gradio's page."""
    cut = remembering(cut_now)
    return [
        *viewport_routes(session, viewports),
        live_route(session, pool, viewports.cameras),
        *download_routes(session),
        *preview_routes(session.library.root, looking, cut),
        given_route(session, cut, looking),
        *reference_routes(session),
        *blocks_routes(session),
        *ghost_routes(session),
    ]


def _announce(serving: Serving) -> None:
    print(f"Maquette is at {serving.url}", flush=True)
    if serving.share_url:
        print(f"and, for anybody who has this link, at {serving.share_url}", flush=True)
    print("Press Ctrl+C to end; runs that are not finished go on at the next start.", flush=True)


def _choice(entry: PriorEntry) -> PriorChoice:
    missing = "" if installed(entry) else _how_to_fetch(entry)
    known = {"any_words": not entry.vocabulary, "no_words": not reads_words(entry), "offers": offers_of(entry.id)}
    return PriorChoice(entry.id, entry.title, missing, home_scale=entry.default_guidance_scale, **known)


def offers_of(prior_id: str) -> frozenset[str]:
    """The flags that are set in what is known of a prior."""
    info = info_of(prior_id)
    return frozenset() if info is None else frozenset(name for name, value in vars(info).items() if value is True)


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
