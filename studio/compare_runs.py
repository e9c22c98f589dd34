"""The twin of a run: the same settings and seed with the reference ignored, or heeded where the run itself
ignores it.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

from engine.errors import InputError, StudioError
from engine.loop.settings import Settings, Value, flatten
from engine.session import JobView, Session
from studio.messages import problem

MOST_COMPARED = 200  # of the newest runs; what lies further back is made anew
UNFIT = ("failed", "stopped")  # states of a run that shows nothing, or only the beginning
PULLS = ("reference_early", "reference_late", "reference_curve", "reference_gate")


class Comparing:
    """The handler of "Compare without the reference"."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def twin(self, token: str, owner: str) -> tuple[str, str]:
        """The twin's token, of a run that is there or of a new one in line; and a problem, if any."""
        try:
            return self._twin(token, owner), ""
        except StudioError as error:
            return "", problem(error)

    def _twin(self, token: str, owner: str) -> str:
        view = self.session.view(token)
        if not view.settings.spec.reference.strip():
            raise InputError(
                "This run has no reference to be compared with.",
                "Choose one under Reference-guided and press Generate.",
            )
        wanted = mirrored(settings_now(view))
        alike = essence(wanted, self._folder(token))
        for other in self.session.jobs(owner, most=MOST_COMPARED):
            if other.state not in UNFIT and essence(settings_now(other), self._folder(other.token)) == alike:
                return other.token
        return self.session.submit(wanted, owner or secrets.token_urlsafe(16))

    def _folder(self, token: str) -> Path:
        return self.session.library.folder(token)


def settings_now(view: JobView) -> Settings:
    """What a run was submitted with, and its live settings as they are now."""
    return Settings(view.settings.spec, view.knobs)


def mirrored(settings: Settings) -> Settings:
    """The same with the reference ignored, or heeded where it was ignored."""
    return replace(
        settings, knobs=replace(settings.knobs, ignore_reference=not settings.knobs.ignore_reference)
    )


def essence(settings: Settings, folder: Path) -> dict[str, Value]:
    """What makes two runs the same: all settings that have an effect, files by where they lie in the run's
    own ``folder``.
    """
    values = flatten(settings)
    idle = PULLS if settings.knobs.ignore_reference else ()
    named = {name: value for name, value in values.items() if name not in idle}
    return {
        name: value.replace(str(folder.absolute()), "") if isinstance(value, str) else value
        for name, value in named.items()
    }
