"""A studio for Python programs: one that runs somewhere, by ``Client(url)``, or in this process, by
``studio.open``.

from studio.client import Client

with Client("http://127.0.0.1:7860", secret="a long random text") as studio:
    run = studio.generate("a red mug", seed=3)
    for now in run.follow():
        print(now["stage"], now["total_step"])
    run.download("mug")
"""

from __future__ import annotations

import io
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from engine.errors import RunError, storage_errors
from studio.api.calls import Calls, HttpCalls, Json

ENDED = ("done", "failed", "stopped")
POLL_SECONDS = 0.25


class Client:
    """A studio. ``secret`` owns the runs that are submitted here; whoever has it lists and deletes them, by
    default nobody else.

    ``login`` is the (user, password) of a studio that asks for one. Raises StudioError where it cannot be
    reached.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:7860",
        *,
        secret: str = "",
        login: tuple[str, str] | None = None,
        timeout_seconds: float = 60.0,
        calls: Calls | None = None,
    ) -> None:
        self.secret = secret or secrets.token_urlsafe(16)
        self._calls = calls or HttpCalls(url, self.secret, login, timeout_seconds)

    def generate(
        self,
        prompt: str = "",
        *,
        preset: str = "",
        images: Sequence[str | Path] = (),
        reference: str | Path = "",
        seed: int | None = None,
        settings: Mapping[str, Any] | None = None,
        key: str = "",
    ) -> Run:
        """Queue a run and return it at once.

        ``images`` are paths of pictures, each with ``@AZIMUTH_DEG`` and ``*WEIGHT`` behind it where it is not
        the front; ``reference`` is the path of a model, or ``shelf:ID``, ``auto``, ``run:TOKEN``.
        ``settings`` are any by name (``Client.settings``). The same ``key`` again gives the run that is there
        already.
        """
        body: Json = {"prompt": prompt, "settings": dict(settings or {})}
        body |= {"preset": preset} if preset else {}
        body |= {"images": [self._sent(str(each)) for each in images]} if images else {}
        body |= {"reference": self._sent(str(reference))} if reference else {}
        body |= {} if seed is None else {"seed": seed}
        return Run(self._calls, self._calls.send("POST", "/runs", body, key)["token"])

    def run(self, token: str) -> Run:
        """An earlier run, by its token. Raises UnknownError if there is none."""
        self._calls.get(f"/runs/{token}")
        return Run(self._calls, token)

    def runs(self, state: str = "") -> list[Run]:
        """The runs of this client's secret, newest first; those in one ``state``, if it is named."""
        return [
            Run(self._calls, each["token"])
            for each in self._calls.get("/runs", state=state, limit=1000)["runs"]
        ]

    def presets(self) -> list[Json]:
        """Settings to start from."""
        return self._calls.get("/presets")["presets"]

    def priors(self) -> list[Json]:
        """The diffusion priors; ``missing`` says what to do for one that is not there."""
        return self._calls.get("/priors")["priors"]

    def settings(self) -> list[Json]:
        """Every setting: its name, what is allowed, its default, and what it does."""
        return self._calls.get("/settings")["settings"]

    def close(self) -> None:
        """Let go of the connection; a studio of this process ends, and its unfinished runs stay resumable."""
        self._calls.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sent(self, text: str) -> str:
        """``text`` with the file that it begins with sent to the studio; where it names none here, as it
        is.
        """
        name, at = text, ""
        if not Path(name).is_file():
            name, at, behind = text.rpartition("@")
            at += behind
        if not name or not Path(name).is_file():
            return text
        return self._calls.keep_file(Path(name).name, Path(name).read_bytes()) + at


class Run:
    """One run of a studio. Every call asks the studio anew."""

    def __init__(self, calls: Calls, token: str) -> None:
        self._calls, self.token = calls, token

    def __repr__(self) -> str:
        return f"Run({self.token!r})"

    @property
    def now(self) -> Json:
        """All that is known of it: state, stage, step, metrics, warnings, settings, files."""
        return self._calls.get(f"/runs/{self.token}")

    @property
    def state(self) -> str:
        """``queued``, ``running``, ``paused``, ``interrupted``, ``done``, ``failed`` or ``stopped``."""
        return self.now["state"]

    def steer(self, **settings: Any) -> Json:
        """Change live settings by name. Raises InputError for what is not allowed, StateError once the run
        has ended.
        """
        return self._calls.send("PATCH", f"/runs/{self.token}", {"settings": settings})

    def undo(self) -> Json:
        """Take back the newest live change."""
        return self._act("undo")

    def pause(self) -> Json:
        """Hold it after its present step."""
        return self._act("pause")

    def resume(self) -> Json:
        """Let it go on."""
        return self._act("resume")

    def stop(self) -> Json:
        """End it within one step, and keep its result."""
        return self._act("stop")

    def delete(self) -> None:
        """Delete it, with its files, once it has ended; only for its owner."""
        self._calls.send("DELETE", f"/runs/{self.token}")

    def follow(self, poll_seconds: float = POLL_SECONDS) -> Iterator[Json]:
        """``now`` whenever it has changed, until the run has ended."""
        before: Json = {}
        while True:
            run = self.now
            if run != before:
                yield run
            if run["state"] in ENDED:
                return
            before = run
            time.sleep(poll_seconds)

    def wait(self, timeout_seconds: float | None = None) -> Json:
        """``now`` once it has ended. Raises RunError if it failed, TimeoutError after ``timeout_seconds``."""
        limit = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while (run := self.now)["state"] not in ENDED:
            if limit is not None and time.monotonic() > limit:
                raise TimeoutError(
                    f"The run {self.token} has not ended within {timeout_seconds:g} s; it goes on."
                )
            time.sleep(POLL_SECONDS)
        if run["state"] == "failed":
            raise RunError(run["error"]["what"], run["error"]["remedy"])
        return run

    def files(self) -> list[str]:
        """The names of its result's files."""
        return [each["name"] for each in self.now["files"]]

    def download(self, folder: str | Path, names: Sequence[str] | None = None) -> dict[str, Path]:
        """Write its files, or those of ``names``, into ``folder``; returns their paths by name."""
        folder = Path(folder)
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        known = {each["name"]: each for each in self.now["files"]}
        chosen = list(known) if names is None else list(names)
        paths = {name: folder / Path(name).name for name in chosen}
        for name, path in paths.items():
            self._calls.fetch(self.token, name, path)
        return paths

    def frame(self, azimuth_deg: float = 35.0, elevation_deg: float = 18.0, size: int = 384) -> Any | None:
        """A picture of the shape as it is now, as a PIL image; None while there is none."""
        from PIL import Image

        content = self._calls.frame(self.token, azimuth_deg, elevation_deg, size)
        return None if content is None else Image.open(io.BytesIO(content))

    def _act(self, action: str) -> Json:
        return self._calls.send("POST", f"/runs/{self.token}/{action}")
