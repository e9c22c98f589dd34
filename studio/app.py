"""The composition root: the one file that builds things. Nothing else in ``studio`` makes a Session."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from engine.session import Session
from studio.catalogue import Catalogue
from studio.downloads import download_routes
from studio.live import live_route
from studio.page import build_page
from studio.relay import viewport_routes
from studio.server import Serving, open_port
from studio.viewport import Viewports

LIVE_THREADS = 48  # one waits for a picture and one for the status in each open browser tab


def serve_page(
    session: Session, catalogue: Catalogue, *, host: str, port: int, share: bool, on_ready: Callable[[Serving], None]
) -> None:
    """Serve the page of ``session`` until the process is interrupted; ``on_ready`` is called once it answers."""
    viewports = Viewports(session)
    pool = ThreadPoolExecutor(LIVE_THREADS, thread_name_prefix="live")
    routes = [*viewport_routes(session, viewports), live_route(session, pool), *download_routes(session)]
    serving = open_port(build_page(session, catalogue), routes, host=host, port=port, share=share)
    try:
        on_ready(serving)
        threading.Event().wait()
    finally:
        viewports.close()
        pool.shutdown(wait=False, cancel_futures=True)
        serving.close()
