"""What happens when the page is touched: read the controls, ask the session, answer with updates.

A StudioError becomes a panel with what happened and what to do; whatever was typed stays where it is.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from engine.errors import StudioError
from engine.loop.settings import Settings, Value, flatten, with_values
from engine.loop.spec import MAX_SEED, RunSpec
from engine.session import Session
from engine.session.input_files import given_files
from studio.catalogue import Catalogue
from studio.controls import SHARED, Controls
from studio.menu import method_options, plain
from studio.messages import problem, words_notice
from studio.scheduled_changes import schedule_in
from studio.status import LIVE_STATES
from studio.tabs import check_own, tab_named, tab_of
from studio.uploads import check_uploads

HEADS = 5  # what stands before the controls in ``everything``
WORDED = ("words", "images", "reference", "start", "scene")
"""Settings that decide what becomes of words."""


class Handlers:
    """The page's handlers. ``everything`` is (tab, prompt, negative prompt, prior, method, *control
    values).
    """

    def __init__(self, session: Session, catalogue: Catalogue, controls: Controls) -> None:
        self.session, self.catalogue, self.controls = session, catalogue, controls

    def generate(
        self, token: str, owner: str, seed_locked: bool, schedule: str, *everything: Value
    ) -> tuple[Any, Any, str]:
        """Start a run, which makes the live changes in ``schedule`` by itself: (its token, its seed,
        problem).
        """
        seed = {} if seed_locked else {"seed": secrets.randbelow(MAX_SEED + 1)}
        try:
            check_own(tab_named(str(everything[0])), self.said(everything))
            settings = self.settings(everything, seed)
            changes = schedule_in(schedule)
            return (
                self.session.submit(settings, owner or secrets.token_urlsafe(16), schedule=changes),
                settings.spec.seed,
                "",
            )
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

    def choose_method(self, token: str, tab: str, method: str, prior: str, *values: Value) -> list[Any]:
        """Another guidance method: (problem, guidance scale, one update for each group of controls)."""
        scale = self.catalogue.usual_scale(prior, method, self.controls.methods[method]().guidance_scale)
        offers = self.catalogue.prior(prior).offers
        live = self.controls.values(values, method, tab=tab, offers=offers, live_only=True)
        chosen = {**live, "method": method, SHARED: scale}
        return [self._post(token, chosen), self.controls.scale(method, scale, prior), *self._groups(method)]

    def choose_prior(self, tab: str, prior: str, prompt: str, *given: Value) -> list[Any]:
        """Another prior: (words it was not taught, the method menu, one update for each control that may have
        no effect).
        """
        options = gr.update(options=plain(method_options(self.controls.methods, self.catalogue, prior)))
        return [self.understood(prompt, prior, *given), options, *self.suit(tab, prior)]

    def suit_scale(self, prior: str, method: str, value: float) -> Any:
        """The range of the guidance control for another prior; what it is set to stays."""
        return self.controls.scale(method, value, prior)

    def suit(self, tab: str, prior: str) -> list[Any]:
        """Show the controls that have an effect on ``prior`` in ``tab`` and hide the others: an update for
        each in doubt.
        """
        offers = self.catalogue.prior(prior).offers
        return [
            gr.update(visible=self.controls.offered(field, offers, tab))
            for field, _ in self.controls.demanding()
        ]

    def attach(self, token: str, owner: str) -> list[Any]:
        """Show the run that the address names: everything in ``attached``, see ``studio.page``.

        On a busy machine this may answer after a first Generate, whose token then stays.
        """
        return self._shown(token, owner) if token else [gr.skip()] * 3 + self.nothing_shown(gr.skip())

    def pick(self, token: str) -> list[Any]:
        """Show another run of this browser; none, where the one that was shown has been deleted."""
        return self._shown(token, gr.skip()) if token else self._nothing("", gr.skip())

    def understood(self, prompt: str, prior: str, *given: Value) -> str:
        """A gentle notice of what becomes of words that the prior was not taught; ``given`` are the controls
        of `WORDED`.
        """
        if not prompt.strip():
            return ""
        values = {name: value for name, value in zip(WORDED, given) if value is not None}
        try:
            return words_notice(self.catalogue.notes(RunSpec(**{**values, "prompt": prompt, "prior": prior})))
        except StudioError:
            return ""  # Generate says what is wrong

    def show_values(self, token: str, values: Mapping[str, Value]) -> list[Any]:
        """Set controls to ``values``, which name their method and prior, and tell the run what is live:
        (problem, *groups, *everything).
        """
        method = str(values["method"])
        live = {
            field.name: values[field.name]
            for field, _ in self.controls.pairs
            if field.live and field.method in (None, method) and field.name in values
        }
        return [self._post(token, {**live, "method": method}), *self.set_values(values)]

    def set_values(self, values: Mapping[str, Value]) -> list[Any]:
        """Set controls to ``values`` without telling a run: (*groups, *everything). Tab and words stay as
        they are.
        """
        method, words = str(values["method"]), [gr.skip()] * 3
        return [*self._groups(method), *words, values["prior"], method, *self.controls.updates(values)]

    def set_all(self, values: Mapping[str, Value], tab: str) -> list[Any]:
        """As ``set_values``, with the words, in the tab with this key: (*groups, *everything)."""
        shown = self.set_values(values)
        words = len(shown) - HEADS - len(self.controls.pairs)
        return [*shown[:words], tab, values["prompt"], values["negative_prompt"], *shown[words + 3 :]]

    def nothing_shown(self, value: Any) -> list[Any]:
        """The outputs of ``show_values`` with only a problem, or none."""
        return [value, *[gr.skip()] * (len(self._groups("")) + HEADS + len(self.controls.pairs))]

    def said(self, everything: Sequence[Value]) -> dict[str, Value]:
        """What the controls say by setting, whether it is allowed or not, without those of methods that are
        not chosen.
        """
        prior, method = str(everything[HEADS - 2]), str(everything[HEADS - 1])
        pairs = zip(self.controls.pairs, everything[HEADS:], strict=True)
        named = {field.name: value for (field, _), value in pairs if field.method in (None, method)}
        return {**named, "prior": prior, "method": method}

    def settings(
        self, everything: Sequence[Value], also: Mapping[str, Value] = {}, prompt: str | None = None
    ) -> Settings:
        """What the controls say, as settings. Raises InputError for what is not allowed."""
        tab, typed, negative_prompt, prior, method, *values = everything
        offers = self.catalogue.prior(str(prior)).offers
        settings = with_values(
            self.catalogue.defaults(),
            {
                **self.controls.values(values, str(method), tab=str(tab), offers=offers),
                **also,
                "prompt": typed if prompt is None else prompt,
                "negative_prompt": negative_prompt,
                "prior": prior,
                "method": method,
            },
        )
        check_uploads(given_files(settings), (Path(get_upload_folder()), self.session.library.root))
        return settings

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
        words = words_notice(self.catalogue.notes(settings.spec)) if settings.spec.prompt.strip() else ""
        return [token, owner, "", words, *self.set_all(values, tab_of(values).key)]

    def _nothing(self, note: str, owner: Any) -> list[Any]:
        return ["", owner, note, gr.skip(), *self.nothing_shown("")[1:]]

    def _groups(self, method: str) -> list[Any]:
        """For the groups in sight, then for those put away."""
        return [gr.update(visible=key == method) for key in self.controls.methods] * 2
