"""The page, served over a session: its routes, its port, and how it ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path

from starlette.routing import BaseRoute

from engine.lazy import imported
from engine.session import Session, default_root
from engine.session.exports import Exports
from engine.session.reference_lookup import own_folder
from engine.session.worker import Run
from studio.api.kept_files import KeptFiles
from studio.api.operations import Operations
from studio.api.routes import api_routes
from studio.blocks_editor import blocks_routes
from studio.catalogue import Catalogue
from studio.composition import open_catalogue, open_exports, open_session
from studio.downloads import download_routes, given_route
from studio.export_routes import export_routes
from studio.guard import Access, access_for, is_loopback
from studio.later_assets import later_routes
from studio.library_routes import library_routes
from studio.live import live_route
from studio.page import build_page
from studio.preview import cut_now, preview_routes, remembering
from studio.reference_overlay import ghost_routes
from studio.reference_routes import reference_routes
from studio.server import Serving, open_port
from studio.timeline_routes import timeline_routes
from studio.viewport import Viewports
from studio.viser_proxy import viewport_routes

LIVE_THREADS = 48  # one waits for a picture and one for the status in each open browser tab
LOOKING_THREADS = 2  # one picture is cut out in each
UPLOADS = "uploads"  # in the library's folder


def serve(
    *,
    host: str,
    port: int,
    share: bool,
    library: Path | None = None,
    shelf: Path | None = None,
    allow_hosts: Sequence[str] = (),
    logins: Sequence[tuple[str, str]] = (),
    run: Run | None = None,
) -> None:
    """Serve the studio until it is interrupted; ``run`` stands for `engine.loop.run.run`.

    Raises StudioError if the port, the library or the shelf cannot be used.
    """
    root = library or default_root(os.environ)
    # where nobody else's uploads lie
    os.environ.setdefault("GRADIO_TEMP_DIR", str(root.expanduser().absolute() / UPLOADS))
    access = access_for(host, allow_hosts, os.environ)
    if warning := open_to_all(host, share, logins, os.environ):
        print(warning, flush=True)
    session = open_session(root, shelf or own_folder(os.environ), run)
    session.open()
    try:
        others = session.library.others()
        if others:
            print(f"Note: {others} other Maquette {'works' if others == 1 else 'work'} on "
                  f"{session.library.root}, too. "
                  "Runs that they look after are left to them and not shown here.", flush=True)  # fmt: skip
        page = {"host": host, "port": port, "share": share, "access": access, "logins": logins}
        serve_page(session, open_catalogue(), on_ready=partial(_ready, session), **page)
    finally:
        session.close()


def open_to_all(
    host: str, share: bool, logins: Sequence[tuple[str, str]], environment: Mapping[str, str]
) -> str:
    """What to be warned of: that strangers may come in; empty where they may not, or where that is the
    purpose of a Space.
    """
    if logins or environment.get("SPACE_ID") or (is_loopback(host) and not share):
        return ""
    who = (
        "anybody who has the public link" if share else "everybody who reaches this machine over the network"
    )
    return (
        f"Warning: there is no login, so {who} can use this studio. Add --auth USER:PASSWORD to ask for one."
    )


def _ready(session: Session, serving: Serving) -> None:
    """Tell where the page is, and only then begin to work, and compile what the first run will need."""
    _announce(serving)
    session.start()
    from engine.loop.warmup import warm_up

    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()


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
    exports = open_exports(session)
    routes = own_routes(session, catalogue, viewports, pool, looking, exports)
    place = {
        "host": host,
        "port": port,
        "share": share,
        "access": access,
        "logins": logins,
        "limits": session.limits,
    }
    serving = open_port(build_page(session, catalogue), routes, **place)
    try:
        on_ready(serving)
        threading.Event().wait()
    finally:
        viewports.close()
        exports.close()
        if catalogue.fetching is not None:
            catalogue.fetching.close()
        pool.shutdown(wait=False, cancel_futures=True)
        looking.shutdown(wait=False, cancel_futures=True)
        serving.close()


def own_routes(
    session: Session,
    catalogue: Catalogue,
    viewports: Viewports,
    pool: ThreadPoolExecutor,
    looking: ThreadPoolExecutor,
    exports: Exports,
) -> list[BaseRoute]:
    """Everything that is answered beside Gradio's page."""
    cut = remembering(cut_now)
    return [
        *viewport_routes(session, viewports),
        live_route(session, pool, viewports.links),
        *download_routes(session),
        *library_routes(session),
        *timeline_routes(session),
        *export_routes(session, exports, cache(lambda: imported("engine.loop.export_preview").Previews())),
        *later_routes(),
        *preview_routes(session.library.root, looking, cut),
        given_route(session, cut, looking),
        *reference_routes(session),
        *blocks_routes(session),
        *ghost_routes(session),
        *api_routes(Operations(session, catalogue, KeptFiles(session.library.root / UPLOADS / "api"))),
    ]


def _announce(serving: Serving) -> None:
    print(f"Maquette is at {serving.url}", flush=True)
    if serving.share_url:
        print(f"and, for anybody who has this link, at {serving.share_url}", flush=True)
    print("Press Ctrl+C to end; runs that are not finished go on at the next start.", flush=True)
