"""Runs beside the one of Generate: a branch from an earlier moment, a finished object refined further, drafts
to choose from.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from engine.errors import InputError, StudioError
from engine.loop.settings import Value
from engine.loop.spec import MAX_SEED
from engine.session import Session
from studio.handlers import HEADS, Handlers
from studio.messages import problem
from studio.tabs import check_own, tab_named

MOST_NOISE = 0.45  # what is refined further is to keep its form, and not to be made anew
SPLATS = ".ply"
DRAFTS, HELD_BEFORE = 4, "refine"


class Branching:
    """The handlers of the three buttons. ``everything`` is as in `Handlers`."""

    def __init__(self, handlers: Handlers) -> None:
        self.handlers, self.session = handlers, handlers.session

    def fork(self, moment: str, token: str, owner: str, *everything: Value) -> tuple[str, str]:
        """A run that goes on from a moment, by its step, with the live settings as they stand: (its token,
        problem).
        """
        tab, prior, method = (str(everything[place]) for place in (0, HEADS - 2, HEADS - 1))
        try:
            if not moment.isascii() or not moment.isdigit():
                raise InputError("No moment was chosen.", "Click one in the filmstrip.")
            offers = self.handlers.catalogue.prior(prior).offers
            values = self.handlers.controls.values(
                everything[HEADS:], method, tab=tab, offers=offers, live_only=True
            )
            live = {**values, "method": method}
            return self.session.branches.fork(
                token, int(moment), owner or secrets.token_urlsafe(16), live
            ), ""
        except StudioError as error:
            return token, problem(error)

    def further(self, token: str, owner: str, *everything: Value) -> tuple[str, str]:
        """A run that sets out from the finished object that is shown, with the settings as they stand: (its
        token, problem).
        """
        try:
            settings = self.handlers.settings(everything)
            noise = min(settings.knobs.timesteps.t_max, MOST_NOISE)
            start = {"start": "file", "start_file": str(splats_of(self.session, token)), "t_max": noise}
            settings = self.handlers.settings(everything, start)
            return self.session.submit(settings, owner or secrets.token_urlsafe(16)), ""
        except StudioError as error:
            return token, problem(error)

    def drafts(
        self, words: str, owner: str, seed_locked: bool, seed: float, *everything: Value
    ) -> tuple[str, str]:
        """Several runs with one seed after the other, held before they are refined: (their tokens,
        problem).
        """
        owner, tokens = owner or secrets.token_urlsafe(16), []
        first = int(seed) if seed_locked else secrets.randbelow(MAX_SEED + 1)
        try:
            check_own(tab_named(str(everything[0])), self.handlers.said(everything))
            for further in range(DRAFTS):
                settings = self.handlers.settings(everything, {"seed": (first + further) % (MAX_SEED + 1)})
                tokens.append(self.session.submit(settings, owner, waits_before=HELD_BEFORE))
            return " ".join(tokens), ""
        except StudioError as error:
            return " ".join(tokens), problem(error)


def splats_of(session: Session, token: str) -> Path:
    """The splats of a run that has ended. Raises InputError where there are none."""
    path = next(
        (path for path in session.files(token).values() if path.suffix == SPLATS and path.is_file()), None
    )
    if path is None:
        raise InputError(
            "This run has no splats to set out from.", "Choose one that is done, and whose scene is splats."
        )
    return path
