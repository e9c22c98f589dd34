"""What happens when the page is touched: read the controls, ask the session, answer with updates.

A StudioError becomes a panel with what happened and what to do; whatever was typed stays where it is.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr

from engine.errors import StudioError
from engine.loop.settings import Settings, Value, flatten, with_values
from engine.loop.spec import MAX_SEED
from engine.math.knobs import knobs_of
from engine.session import Session
from engine.session.presets import apply_preset, differences
from studio.catalogue import PLACEHOLDER, Catalogue
from studio.controls import Controls, fields_of, title_of
from studio.notes import preset_note, problem, unknown_notice
from studio.status import LIVE_STATES


class Handlers:
    """The page's handlers. ``everything`` is (prompt, negative prompt, prior, method, *control values)."""

    def __init__(self, session: Session, catalogue: Catalogue, controls: Controls) -> None:
        self.session, self.catalogue, self.controls = session, catalogue, controls

    def generate(self, token: str, owner: str, seed_locked: bool, *everything: Value) -> tuple[Any, Any, str]:
        """Start a run: (its token, its seed, problem)."""
        seed = {} if seed_locked else {"seed": secrets.randbelow(MAX_SEED + 1)}
        try:
            settings = self._settings(everything, seed)
            return self.session.submit(settings, owner or secrets.token_urlsafe(16)), settings.spec.seed, ""
        except StudioError as error:
            return token, gr.skip(), problem(error)

    def pause(self, token: str) -> str:
        return self._command(self.session.pause, token)

    def resume(self, token: str) -> str:
        return self._command(self.session.resume, token)

    def stop(self, token: str) -> str:
        return self._command(self.session.stop, token)

    def steer(self, name: str) -> Callable[[str, Value], str]:
        """The handler of a live control: posts its value and returns."""
        return lambda token, value: self._post(token, {name: value})

    def choose_method(self, token: str, method: str, *values: Value) -> list[Any]:
        """Another guidance method: (problem, its sentence on the menu, guidance scale, one update for each method's group)."""
        scale = next(knob for knob in knobs_of(self.controls.methods[method]()) if knob.name == "guidance_scale")
        chosen = {**self.controls.values(values, method, live_only=True), "method": method, "guidance_scale": scale.value}
        slider = gr.update(minimum=scale.mark.low, maximum=scale.mark.high, step=scale.mark.step, value=scale.value)
        menu = gr.update(info=self.controls.methods[method].sentence)
        return [self._post(token, chosen), menu, slider, *self._groups(method)]

    def attach(self, token: str, owner: str) -> list[Any]:
        """Show the run that the address names: everything in ``attached``, see ``studio.page``.

        On a busy machine this may answer after a first Generate, whose token then stays.
        """
        return self._shown(token, owner) if token else [gr.skip()] * (8 + len(self.controls.methods) + len(self.controls.pairs))

    def pick(self, token: str) -> list[Any]:
        """Show another run of this browser."""
        return self._shown(token, gr.skip())

    def unknown_words(self, prompt: str, prior: str) -> str:
        """A gentle notice about words that the prior was not taught."""
        words = self.catalogue.unknown_words(prior, prompt) if prompt.strip() else ()
        return unknown_notice(words, self.catalogue.prior(prior).title, self.catalogue.priors) if words else ""

    def preview_preset(self, key: str | None, *everything: Value) -> tuple[str, Any]:
        """What the preset would change: (note, whether Apply is offered)."""
        preset = self.catalogue.preset(key)
        if preset is None:
            return "", gr.update(visible=False)
        try:
            changes = differences(preset, self._settings(everything, prompt=PLACEHOLDER))
        except StudioError as error:
            return problem(error), gr.update(visible=False)
        prior = self.catalogue.prior(str(preset.values.get("prior", "")))
        missing = f"{prior.title} is not installed. {prior.missing}" if prior.missing else ""
        return preset_note(preset.sentence, changes, missing, self._title), gr.update(visible=bool(changes) and not missing)

    def apply_preset(self, token: str, key: str | None, *everything: Value) -> list[Any]:
        """Set the controls as the preset says; what is live goes to the run too."""
        preset = self.catalogue.preset(key)
        skip = [gr.skip()] * (len(everything) + len(self.controls.methods))
        if preset is None:
            return ["", "", gr.update(visible=False), *skip]
        try:
            settings = apply_preset(preset, self._settings(everything, prompt=PLACEHOLDER))
        except StudioError as error:
            return [problem(error), gr.skip(), gr.skip(), *skip]
        values = flatten(settings)
        method = str(values["method"])
        live = {
            field.name: values[field.name] for field, _ in self.controls.pairs if field.live and field.method in (None, method)
        }
        note = f'<p class="mq-note">{escape(preset.title)} is applied.</p>'
        return [
            self._post(token, {**live, "method": method}),
            note,
            gr.update(visible=False),
            *self._groups(method),
            gr.skip(),
            gr.skip(),
            values["prior"],
            method,
            *self.controls.updates(values),
        ]

    def _settings(self, everything: Sequence[Value], also: Mapping[str, Value] = {}, prompt: str | None = None) -> Settings:
        typed, negative_prompt, prior, method, *values = everything
        return with_values(
            self.catalogue.defaults(),
            {
                **self.controls.values(values, str(method)),
                **also,
                "prompt": typed if prompt is None else prompt,
                "negative_prompt": negative_prompt,
                "prior": prior,
                "method": method,
            },
        )

    def _command(self, command: Callable[[str], None], token: str) -> str:
        try:
            if token:
                command(token)
            return ""
        except StudioError as error:
            return problem(error)

    def _post(self, token: str, values: Mapping[str, Value]) -> str:
        """Send live values to the run that is shown, if it is still going."""
        try:
            if token and self.session.view(token).state in LIVE_STATES:
                self.session.set_knobs(token, values)
            return ""
        except StudioError as error:
            return problem(error)

    def _shown(self, token: str, owner: Any) -> list[Any]:
        try:
            settings = Settings(self.session.settings(token).spec, self.session.knobs(token))
        except StudioError as error:
            return self._nothing(problem(error), owner)
        values = flatten(settings)
        method = str(values["method"])
        words = self.unknown_words(settings.spec.prompt, settings.spec.prior)
        return [
            token,
            owner,
            "",
            words,
            *self._groups(method),
            values["prompt"],
            values["negative_prompt"],
            values["prior"],
            method,
            *self.controls.updates(values),
        ]

    def _nothing(self, note: str, owner: Any) -> list[Any]:
        return ["", owner, note, *[gr.skip()] * (5 + len(self.controls.methods) + len(self.controls.pairs))]

    def _groups(self, method: str) -> list[Any]:
        return [gr.update(visible=key == method) for key in self.controls.methods]

    def _title(self, name: str) -> str:
        defaults = self.catalogue.defaults()
        return title_of(name, fields_of(defaults.spec, defaults.knobs, self.controls.methods))
