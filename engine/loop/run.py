"""A run from settings to a finished scene, as a generator of events.

The same generator serves the engine thread, the command line and a worker process. Whoever pulls it owns its
pace: not pulling is pausing. Between two steps it takes its commands, judges the shape's health, and leaves
checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

from engine.assets.images.input_files import kept_with
from engine.loop import recipe_chain
from engine.loop.checkpointing import Checkpoints, gone_on
from engine.loop.clock import Clock
from engine.loop.input_images import given_views, stood
from engine.loop.live_run import LiveRun
from engine.loop.messages import (
    CommandSource,
    Event,
)
from engine.loop.oom import OomGuard
from engine.loop.plan import plan
from engine.loop.prompt_words import Heard, heard
from engine.loop.recipe_chain import words_before
from engine.loop.reference import input_files
from engine.loop.reference.gate_evidence import wanted_likeness
from engine.loop.reference.guide import guide_for
from engine.loop.settings import Settings
from engine.loop.spec import Knobs, RunSpec
from engine.loop.stages import fresh_state
from engine.loop.state import Context
from engine.loop.validation import check_combination
from engine.prior.attachments import LoadControl, attachments_for
from engine.prior.base import Prior
from engine.prior.control.control import load_control

LoadPrior = Callable[..., Prior]
"""A prior by its name, and by its ``precision`` where a run asks for one."""


def prepared(spec: RunSpec, prior: Prior, load_control: LoadControl, folder: Path | None) -> Context:
    """The context of a run, whose ``spec`` names the copies of given files in ``folder``, where there is one.

    Raises InputError, MissingError or FileFormatError for what cannot be used, StorageError for what cannot
    be copied.
    """
    spec = replace(spec, region_was=_was(spec, prior))
    attachments = attachments_for(prior, spec.control, spec.style_file, load_control)
    given = given_views(spec, prior.info, folder)
    given = None if given is None else stood(given, spec, prior)
    guide = guide_for(spec, prior, given, folder)
    spec = replace(
        spec, images=kept_with(spec.images, folder), reference=input_files.kept_with(spec.reference, folder)
    )
    context = Context.of(spec, prior, attachments, given, guide)
    if guide is None:
        return context
    return replace(context, guide=replace(guide, likeness=wanted_likeness(context, guide)))


def _was(spec: RunSpec, prior: Prior) -> str:
    """The words, as the prior reads them, for what a region is changed of; empty where nothing says them."""
    was = spec.region_was.strip() or (words_before(spec) if spec.region.strip() else "")
    return heard(replace(spec, prompt=was)).prompt if was and prior.info.taught_words else was


def run(
    spec: RunSpec,
    knobs: Knobs,
    commands: CommandSource,
    load_prior: LoadPrior,
    *,
    folder: Path | None = None,
    resume: bool = False,
    load_control: LoadControl = load_control,
) -> Generator[Event, None, None]:
    """Run ``spec``; with ``folder``, leave a checkpoint there every few seconds, and with ``resume`` go on
    from it.

    Checkpoints that cannot be read begin the run anew, and a disk that takes none does not end it: both are a
    warning.

    Given pictures and the 3D reference are copied into the folder, and the recipe names the copies.

    Raises InputError, MissingError or DeviceError before the first event if the run cannot begin.
    """
    clock = Clock()
    prior = (
        load_prior(spec.prior)
        if spec.precision == "auto"
        else load_prior(spec.prior, precision=spec.precision)
    )
    check_combination(Settings(spec, knobs), prior.info)
    oom_guard = OomGuard.of(prior, spec, knobs)
    read = heard(spec) if prior.info.taught_words else Heard(spec.prompt)
    context = replace(
        prepared(replace(spec, prompt=read.prompt), prior, load_control, folder), word_notes=read.notes
    )
    spec, stages = replace(context.spec, prompt=spec.prompt), plan(spec, prior.info)

    def begun(resumed: bool) -> LiveRun:
        state = fresh_state(context, resumed=resumed)
        return LiveRun(
            context, state, knobs, recipe_chain.begun(spec, knobs), stages, Checkpoints(folder), oom_guard
        )

    live = gone_on(begun, folder) if resume and folder is not None else begun(False)
    live.state.seconds.setdefault("load", clock.lap())
    yield from live.events(commands)
