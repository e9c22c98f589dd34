"""What programs may ask of a studio: plain functions from JSON to JSON, the same over HTTP and in the
process.

Runs are named by their tokens, and a token is all that it takes to see and steer one. ``owner`` is the
caller's secret, by which runs are listed and deleted. Every refusal is a StudioError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.core.camera import orbit_camera
from engine.errors import InputError, UnknownError
from engine.loop.reference.reference_source import names_file
from engine.loop.settings import Settings, flatten, flatten_knobs, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.session import JobView, Session
from engine.session.input_files import given_files
from engine.session.presets import DEFAULT_PRESET, IMAGE_PRESET, apply_preset, find_preset
from engine.session.record import STATES
from engine.shipped import installed_version
from studio.api.kept_files import KeptFiles
from studio.catalogue import Catalogue
from studio.commands.settings import all_settings
from studio.eye import DISTANCE, FOV_DEG
from studio.pictures import jpeg
from studio.status import file_of, status_of
from studio.uploads import check_uploads

Json = dict[str, Any]
MOST_LISTED = 1000
FRAME_SECONDS = 20.0  # how long a picture is waited for
FRAME_SIDES = (32, 1024)


@dataclass(frozen=True)
class Operations:
    """The API of one studio. ``files`` are those that programs have sent; other paths of this machine are not
    read, unless ``any_path``: the program is this process.
    """

    session: Session
    catalogue: Catalogue
    files: KeptFiles
    any_path: bool = False

    def about(self) -> Json:
        """Which program this is, in which version, and where its description lies."""
        return {"name": "Maquette", "version": installed_version() or "0", "openapi": "/api/v1/openapi.json"}

    def submit(self, body: Mapping[str, Any], owner: str, client_key: str = "") -> Json:
        """Queue a run; the same ``client_key`` again gives the run that is there. See `settings_in` for
        ``body``.
        """
        return self.run(self.session.submit(self.settings_in(body), owner, client_key))

    def settings_in(self, body: Mapping[str, Any]) -> Settings:
        """The settings of ``{"prompt", "preset", "settings", "images", "reference", "seed"}``, of which each
        may be left out.

        ``images`` and ``reference`` name files that were sent (``file:ID``), an image as
        ``file:ID[@AZIMUTH[*WEIGHT]]``; a reference may be ``shelf:ID``, ``auto`` or ``run:TOKEN``, too.
        Raises InputError for anything else.
        """
        _check_names(body, ("prompt", "preset", "settings", "images", "reference", "seed"))
        prompt, images, reference = _text(body, "prompt"), body.get("images", []), _text(body, "reference")
        named = body.get("settings", {})
        if not isinstance(images, list) or not all(isinstance(each, str) for each in images):
            raise InputError("images is not a list of texts.", 'Write for example "images": ["file:ID@0"].')
        if not isinstance(named, Mapping):
            raise InputError(
                "settings is not an object.", 'Write for example "settings": {"guidance_scale": 7.5}.'
            )
        preset = _text(body, "preset") or (IMAGE_PRESET if images else DEFAULT_PRESET)
        blank = Settings(RunSpec(prompt, images=";".join(map(self.files.resolved, images))), Knobs())
        also: Json = {} if body.get("seed") is None else {"seed": body["seed"]}
        if reference:
            also["reference"] = self.files.resolved(reference) if names_file(reference) else reference
        settings = with_values(apply_preset(find_preset(preset), blank), {**named, **also})
        if not self.any_path:
            check_uploads(given_files(settings), (self.files.folder, self.session.library.root))
        return settings

    def run(self, token: str) -> Json:
        """One run as it is now."""
        view = self.session.view(token)
        status = {**status_of(view), "files": self._files(view)}
        status["error"] = None if view.error is None else {"what": view.error[0], "remedy": view.error[1]}
        status["warnings"] = [{"what": what, "remedy": remedy} for what, remedy in view.warnings]
        return {**status, "settings": flatten(view.settings), "live_settings": flatten_knobs(view.knobs)}

    def runs(self, owner: str, state: str = "", limit: int = 100) -> Json:
        """The owner's runs, newest first; those in one ``state``, if it is named."""
        if state and state not in STATES:
            raise InputError(f"{state!r} is no state of a run.", f"Choose one of {', '.join(STATES)}.")
        if not 1 <= limit <= MOST_LISTED:
            raise InputError(f"limit is {limit}; it must be 1 to {MOST_LISTED}.", "Ask for fewer at once.")
        views = self.session.jobs(owner, state, limit) if owner else ()
        return {
            "runs": list(map(_summary, views)),
            "total": len(self.session.runs.tokens(owner, state)) if owner else 0,
        }

    def steer(self, token: str, body: Mapping[str, Any]) -> Json:
        """Change live settings, ``{"settings": {name: value}}``."""
        _check_names(body, ("settings",))
        values = body.get("settings")
        if not isinstance(values, Mapping) or not values:
            raise InputError(
                "settings is missing or empty.", 'Write for example {"settings": {"guidance_scale": 12}}.'
            )
        self.session.set_knobs(token, values)
        return self.run(token)

    def act(self, token: str, action: str) -> Json:
        """``pause``, ``resume``, ``stop``, or ``undo`` the newest live change."""
        actions = {
            "pause": self.session.pause,
            "resume": self.session.resume,
            "stop": self.session.stop,
            "undo": self.session.undo_knobs,
        }
        if action not in actions:
            raise UnknownError(f"There is no action {action!r}.", f"Choose one of {', '.join(actions)}.")
        actions[action](token)
        return self.run(token)

    def delete(self, token: str, owner: str) -> None:
        """Delete a run that has ended, with its files; only its owner may."""
        self.session.runs.delete(token, owner)

    def file(self, token: str, name: str) -> Path:
        """The path of a result's file. Raises UnknownError if the run has none of this name."""
        return self.session.file(token, name)

    def frame(self, token: str, azimuth_deg: float, elevation_deg: float, size: int) -> bytes | None:
        """A JPEG of the shape as it is now; None while there is none. Raises InputError for a size out of
        range.
        """
        if not FRAME_SIDES[0] <= size <= FRAME_SIDES[1]:
            raise InputError(
                f"size is {size}; it must be {FRAME_SIDES[0]} to {FRAME_SIDES[1]} pixels.", "Ask for another."
            )
        camera = orbit_camera(
            azimuth_deg % 360, max(-89.0, min(89.0, elevation_deg)), DISTANCE, FOV_DEG, size
        )
        frame = self.session.frame(token, "api", camera, -1, FRAME_SECONDS)
        return None if frame is None else jpeg(frame.rgb)

    def presets(self) -> Json:
        """Settings to start from."""
        return {"presets": [_preset(each) for each in self.catalogue.presets.presets]}

    def priors(self) -> Json:
        """The diffusion priors, and what to do for those that are not on this machine."""
        kept = ("id", "title", "missing", "home_scale")
        return {"priors": [{name: vars(prior)[name] for name in kept} for prior in self.catalogue.shelf()]}

    def settings(self) -> Json:
        """Every setting by name: what is allowed, its default, what it does, and when it may change."""
        return {"settings": [asdict(each) for each in all_settings()]}

    def _files(self, view: JobView) -> list[Json]:
        files = [file_of(name, path) for name, path in view.files.items() if path.is_file()]
        return [{**each, "url": f"/runs/{view.token}/files/{each['name']}"} for each in files]


def _summary(view: JobView) -> Json:
    names = ("token", "title", "state", "queue_position", "stage", "total_step", "total_steps")
    return {name: getattr(view, name) for name in names}


def _preset(preset: Any) -> Json:
    return {
        "id": preset.key,
        "title": preset.title,
        "sentence": preset.sentence,
        "settings": dict(preset.values),
    }


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise InputError(f"{name} is not a text.", f'Write "{name}": "...".')
    return value


def _check_names(body: Any, known: tuple[str, ...]) -> None:
    if not isinstance(body, Mapping):
        raise InputError("The body is not a JSON object.", "Send an object with curly brackets.")
    unknown = sorted(set(map(str, body)) - set(known))
    if unknown:
        raise InputError(
            f"The body names {', '.join(unknown)}, which means nothing here.", f"Use {', '.join(known)}."
        )
