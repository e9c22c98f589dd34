"""What is kept of a job, in memory and as ``job.json`` in its folder."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from numbers import Real
from pathlib import PurePath
from typing import Any, Literal

from engine.assets.images.image_arguments import pictures_in
from engine.errors import FileFormatError, StudioError
from engine.loop.recipe import Change
from engine.loop.settings import Settings, flatten, flatten_knobs, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.session.progress import History, Progress

State = Literal["queued", "running", "paused", "done", "failed", "stopped", "interrupted"]
STATES: tuple[State, ...] = ("queued", "running", "paused", "done", "failed", "stopped", "interrupted")
MAX_OWNER_CHARACTERS = 200
ENDED: tuple[State, ...] = ("done", "failed", "stopped")
FORMAT = 1
MAX_WARNINGS = 50
MAX_TITLE_CHARACTERS = 80


@dataclass(frozen=True)
class JobRecord:
    """One job. It is replaced, never changed, so that any thread may read it.

    ``settings`` are those it was submitted with, ``knobs`` the newest asked for (``revision``). ``session``
    is the process that looks after it. ``stopping`` says that a stop was asked for and is not done yet.
    ``deaths`` counts the times that the process ended while the job was running since it last left a
    checkpoint further on than any before, at ``checkpoint_step``. ``client_key`` is what a client calls this
    submission, so that one that is sent again is known. ``waits_before`` is the stage before which the run is
    held until a person lets it go on: a draft to choose from. ``schedule`` are the live changes that it is
    still to make by itself, by their steps. ``place`` is its number, from 1, among its owner's waiting runs
    where somebody put them in order; 0 where nobody did.
    """

    token: str
    owner: str
    created: float
    settings: Settings
    knobs: Knobs
    state: State = "queued"
    revision: int = 0
    checkpoint_revision: int = 0
    progress: Progress = field(default_factory=Progress)
    warnings: tuple[tuple[str, str], ...] = ()
    error: tuple[str, str] | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    session: str = ""
    stopping: bool = False
    deaths: int = 0
    checkpoint_step: int = 0
    client_key: str = ""
    waits_before: str = ""
    schedule: tuple[Change, ...] = ()
    place: int = 0

    @property
    def title(self) -> str:
        """The beginning of the prompt, on one line, or the names of the pictures where there are no words."""
        spec = self.settings.spec
        words = " ".join(spec.prompt.split()) or ", ".join(
            PurePath(each.path).stem for each in pictures_in(spec.images)
        )
        return words if len(words) <= MAX_TITLE_CHARACTERS else words[: MAX_TITLE_CHARACTERS - 1] + "…"

    def warned(self, what: str, remedy: str) -> JobRecord:
        """With one more warning; the same one is not repeated, and of many the newest are kept."""
        if (what, remedy) in self.warnings:
            return self
        return replace(self, warnings=(*self.warnings, (what, remedy))[-MAX_WARNINGS:])


def to_json(record: JobRecord) -> str:
    """The text of ``job.json``."""
    settings, knobs, progress = flatten(record.settings), flatten_knobs(record.knobs), asdict(record.progress)
    plain = {name: vars(record)[name] for name in _PLAIN}
    document = {
        "format": FORMAT,
        **plain,
        "title": record.title,
        "settings": settings,
        "knobs": knobs,
        "progress": progress,
    }
    if record.schedule:
        document["schedule"] = [[change.total_step, dict(change.values)] for change in record.schedule]
    return json.dumps(document, indent=1, ensure_ascii=False)


_PLAIN = ("token", "owner", "created", "state", "revision", "checkpoint_revision",
          "warnings", "error", "files", "session", "stopping", "deaths", "checkpoint_step", "client_key",
          "waits_before", "place")  # fmt: skip


def from_json(text: str) -> JobRecord:
    """Read what ``to_json`` wrote. Raises FileFormatError for anything else."""
    try:
        document = {
            "checkpoint_step": 0,
            "client_key": "",
            "waits_before": "",
            "schedule": [],
            "place": 0,
            **json.loads(text),
        }
        _check(document)
        settings = with_values(_blank("pictures"), document["settings"])
        return JobRecord(
            **{name: document[name] for name in _PLAIN if name not in ("warnings", "error")},
            settings=settings,
            knobs=_knobs(settings, document["knobs"]),
            warnings=tuple((str(what), str(remedy)) for what, remedy in document["warnings"]),
            error=None
            if document["error"] is None
            else (str(document["error"][0]), str(document["error"][1])),
            progress=_progress(document["progress"]),
            schedule=tuple(
                Change(step, number, values) for number, (step, values) in enumerate(document["schedule"])
            ),
        )
    except (
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        ArithmeticError,
        RecursionError,
        StudioError,
    ) as error:
        raise FileFormatError(
            f"It is not a job of format {FORMAT} ({type(error).__name__}: {error})."
        ) from error


_TYPES = {
    "token": str, "owner": str, "created": Real, "revision": int, "checkpoint_revision": int, "session": str,
    "stopping": bool,
    "deaths": int, "checkpoint_step": int, "client_key": str, "waits_before": str,
    "place": int,
    "settings": dict, "knobs": dict, "files": dict, "progress": dict, "schedule": list,
}  # fmt: skip


def _check(document: Mapping[str, Any]) -> None:
    """Raises ValueError unless every field has its type: what is odd here would stop whoever meets it
    later.
    """
    wrong = [name for name, kind in _TYPES.items() if not _is(document[name], kind)]
    if wrong or document["format"] != FORMAT or document["state"] not in STATES:
        raise ValueError(
            f"format {document['format']!r}, state {document['state']!r}, wrong types: "
            f"{', '.join(wrong) or 'none'}"
        )
    if not all(re.fullmatch(r"[\w-]*", document[name], re.ASCII) for name in ("token", "session")):
        raise ValueError("a token with characters that tokens do not have")
    if not all(
        _is(row, list) and len(row) == 2 and _is(row[0], int) and _is(row[1], dict)
        for row in document["schedule"]
    ):
        raise ValueError("a schedule that is no list of steps and values")
    if not all(_is(file, str) and file == PurePath(file).name != ".." for file in document["files"].values()):
        raise ValueError("a file that lies outside of the run's folder")


def _is(value: Any, kind: type) -> bool:
    """Whether it has the type: no truth value is a number, and a number is finite."""
    if isinstance(value, bool) and kind is not bool:
        return False
    return isinstance(value, kind) and (kind is not Real or math.isfinite(value))


def unreadable(token: str, text: str, created: float, what: str) -> JobRecord:
    """What stands for a job whose ``job.json`` holds ``text`` that cannot be read: failed, with nothing in
    its folder touched.
    """
    settings = _blank("unreadable run")
    remedy = "Its folder is untouched: mend or delete job.json there, or start anew."
    return JobRecord(
        token, _owner_in(text), created, settings, settings.knobs, state="failed", error=(what, remedy)
    )


def _owner_in(text: str) -> str:
    """Whose job it is, where at least that can be read."""
    try:
        owner = json.loads(text)["owner"]
        return owner if isinstance(owner, str) else ""
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _knobs(settings: Settings, values: Mapping[str, Any]) -> Knobs:
    """The newest live settings; most runs never changed any, and thousands of them are read when a studio
    starts.
    """
    present = flatten_knobs(settings.knobs)
    same = all(
        type(value) is type(present.get(name)) and value == present[name] for name, value in values.items()
    )
    return settings.knobs if same else with_values(settings, values).knobs


@cache
def _blank(prompt: str) -> Settings:
    return Settings(RunSpec(prompt=prompt), Knobs())


def _progress(document: Mapping[str, Any]) -> Progress:
    traces = {name: _history(trace) for name, trace in document.get("traces", {}).items()}
    metrics = {str(name): float(value) for name, value in document["metrics"].items()}
    plain = {name: value for name, value in document.items() if name not in ("history", "metrics", "traces")}
    expected = vars(Progress())
    wrong = [name for name, value in plain.items() if not _is_like(value, expected[name])]
    if wrong:
        raise ValueError(f"progress has wrong types: {', '.join(wrong)}")
    return Progress(**plain, history=_history(document["history"]), metrics=metrics, traces=traces)


def _is_like(value: Any, default: str | int | float | None) -> bool:
    """Whether a number of progress can stand where its ``default`` does; None is a time that is still to
    come.
    """
    if default is None:
        return value is None or _is(value, Real)
    return _is(value, Real if isinstance(default, float) else type(default))


def _history(document: Mapping[str, Any]) -> History:
    newest = (
        None if document["newest"] is None else (int(document["newest"][0]), float(document["newest"][1]))
    )
    points = tuple((int(step), float(number)) for step, number in document["points"])
    return History(points, int(document["stride"]), newest)
