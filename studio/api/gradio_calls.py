"""The API for ``gradio_client``: named endpoints of the page, each the operation of the same name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from engine.errors import StudioError
from engine.session import Session
from studio.api.kept_files import KeptFiles
from studio.api.operations import Operations
from studio.catalogue import Catalogue


def connect_gradio_api(session: Session, catalogue: Catalogue) -> None:
    """Give the page that is being built its named endpoints. What is refused is a `gr.Error` in the studio's
    words.
    """
    operations = Operations(session, catalogue, KeptFiles(Path(get_upload_folder()) / "api"))

    def generate(
        prompt: str, preset: str = "", settings: dict | None = None, owner: str = "", key: str = ""
    ) -> dict:
        """Queue a run and return it. ``owner`` is a secret of yours, by which your runs are listed."""
        body = {"prompt": prompt, "settings": settings or {}, **({"preset": preset} if preset else {})}
        return _in_words(lambda: operations.submit(body, owner, key))

    def run(token: str) -> dict:
        """A run as it is now."""
        return _in_words(lambda: operations.run(token))

    def runs(owner: str) -> dict:
        """Your runs, newest first."""
        return _in_words(lambda: operations.runs(owner))

    def steer(token: str, settings: dict) -> dict:
        """Change live settings by name."""
        return _in_words(lambda: operations.steer(token, {"settings": settings}))

    def act(token: str, action: str) -> dict:
        """pause, resume, stop, or undo the newest live change."""
        return _in_words(lambda: operations.act(token, action))

    def presets() -> dict:
        """Settings to start from."""
        return _in_words(operations.presets)

    for endpoint in (generate, run, runs, steer, act, presets):
        gr.api(endpoint, api_name=endpoint.__name__, queue=False)


def _in_words(operation: Callable[[], Any]) -> Any:
    try:
        return operation()
    except StudioError as error:
        raise gr.Error(str(error), print_exception=False) from error
