"""Makes the studio's doubles importable; serves their session's routes, and the whole page, on free ports."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn
from starlette.applications import Starlette

sys.path.insert(0, str(Path(__file__).parent))

from studio_doubles import open_double
from studio_serving import Served, free_port, serve, until

from engine.session import Session
from studio.downloads import download_routes
from studio.library_routes import library_routes
from studio.live import live_route
from studio.viewport import Viewports
from studio.viser_proxy import viewport_routes

if TYPE_CHECKING:  # only tests in a browser need it
    from playwright.sync_api import Browser


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with open_double(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def served(session: Session) -> Iterator[Served]:
    """The live stream, the viewport and the downloads, without Gradio."""
    viewports, pool = Viewports(session, idle_seconds=1.0), ThreadPoolExecutor(8)
    app = Starlette(
        routes=[
            *viewport_routes(session, viewports),
            live_route(session, pool),
            *download_routes(session),
            *library_routes(session),
        ]
    )
    server = uvicorn.Server(
        uvicorn.Config(app, port=free_port(), log_level="critical", ws_per_message_deflate=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    yield Served(session, viewports, server.config.port)
    server.should_exit = True
    server.force_exit = True
    thread.join(10)
    viewports.close()
    pool.shutdown(wait=False, cancel_futures=True)


@pytest.fixture(scope="session")
def double_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the whole page over doubles, in a process of its own."""
    port, library = free_port(), tmp_path_factory.mktemp("library")
    yield from serve(
        [str(Path(__file__).parent / "studio_doubles.py"), str(library), str(port)], port, library
    )


@pytest.fixture(scope="session")
def studio_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of ``python -m studio`` as a newcomer starts it."""
    port, library = free_port(), tmp_path_factory.mktemp("library")
    yield from serve(["-m", "studio", "--port", str(port), "--library", str(library)], port, library)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of a file, patient with machines that do a dozen other things."""
    from browsing import PATIENCE_MS, launch
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright, launch(playwright) as opened:
        yield opened
