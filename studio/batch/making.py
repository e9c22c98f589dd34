"""One row, made where it is called: in a worker process of this machine or of a cluster."""

from __future__ import annotations

import socket
import time
import traceback
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO

from engine.errors import StudioError
from engine.session.library import has_checkpoint
from studio.batch.outcomes import DONE, FAILED, Outcome, digest_of
from studio.commands.generate_options import GenerateOptions


def make_row(name: str, options: GenerateOptions, attempts: int) -> Outcome:
    """Make it, from its checkpoint where an earlier attempt left one. What goes wrong is an outcome, too."""
    begun, facts = (
        time.monotonic(),
        {"digest": digest_of(options), "attempts": attempts, "prompt": options.prompt or ""},
    )
    facts["where"] = socket.gethostname()
    try:
        from studio.commands.generate import make

        with redirect_stdout(StringIO()):  # the paths of its files
            make(replace(options, resume=has_checkpoint(options.out)))
    except StudioError as error:
        return Outcome(
            name, FAILED, seconds=time.monotonic() - begun, error=error.what, remedy=error.remedy, **facts
        )
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
        return Outcome(
            name, FAILED, seconds=time.monotonic() - begun, error=what, remedy="Report it.", **facts
        )
    files = tuple(
        sorted(
            path.name for path in options.out.iterdir() if path.is_file() and not path.name.startswith(".")
        )
    )
    kept = tuple(file for file in files if not file.startswith("checkpoint"))
    return Outcome(name, DONE, seconds=time.monotonic() - begun, files=kept, **facts)
