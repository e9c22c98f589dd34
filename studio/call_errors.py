"""Calls of Gradio's handlers with values that no page of ours sends: answered in words, a line in the log, no
traceback.
"""

from __future__ import annotations

import logging
import os
import traceback
from typing import Any

import gradio as gr
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.errors import StudioError

DEBUG = "MAQUETTE_DEBUG"  # as at the terminal: with it, the whole traceback is shown
UNREADABLE = "The page sent something that cannot be understood. Reload it, and try again."
LOG = logging.getLogger("maquette.page")


class StudioBlocks(gr.Blocks):
    """Blocks in which no value that is sent to a handler, whatever its type, ends in a traceback on the
    server.
    """

    def get_block_name(self) -> str:
        """What the browser takes it for."""
        return "blocks"

    async def process_api(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        """As in Gradio; raises `gradio.Error` in words for whatever goes wrong."""
        try:
            return await super().process_api(*arguments, **named)
        except gr.Error as error:  # Gradio's own, such as of a choice that is none
            error.print_exception = bool(os.environ.get(DEBUG))
            raise
        except Exception as error:
            raise in_words(error) from error


def in_words(error: Exception) -> gr.Error:
    """What the browser is told of an error; where it happened goes to the log."""
    if isinstance(error, StudioError):
        return gr.Error(f"{error.what} {error.remedy}".strip(), print_exception=False)
    log_place(error)
    return gr.Error(UNREADABLE, print_exception=bool(os.environ.get(DEBUG)))


def log_place(error: Exception) -> None:
    """One line: what kind of error, and the innermost line of code that raised it, without values from
    outside.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"
    LOG.warning(
        "A call of the page failed: %s at %s. Set %s=1 to see all of it.", type(error).__name__, place, DEBUG
    )


class CallErrors:
    """ASGI middleware: an exception before an answer has begun, as of an unknown handler's number, is a 400
    in words.

    Exceptions of whoever passes on what is sent, as of an upload that is too large, are answered there.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, from_outside = False, None

        async def taken() -> Message:
            nonlocal from_outside
            try:
                return await receive()
            except Exception as error:
                from_outside = error
                raise

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, taken, noted)
        except Exception as error:
            if begun or error is from_outside or os.environ.get(DEBUG):
                raise
            log_place(error)
            await JSONResponse({"error": UNREADABLE}, 400)(scope, receive, send)
