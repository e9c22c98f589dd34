"""What is opened and asked once, before the first step of a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.assets.images.input_files import kept_with
from engine.loop.input_images import given_views, stood
from engine.loop.prompt_words import heard
from engine.loop.recipe_chain import words_before
from engine.loop.reference import input_files
from engine.loop.reference.gate_evidence import wanted_likeness
from engine.loop.reference.guide import guide_for
from engine.loop.spec import RunSpec
from engine.loop.state import Context
from engine.prior.attachments import LoadControl, attachments_for
from engine.prior.base import Prior


def prepared(spec: RunSpec, prior: Prior, load_control: LoadControl, folder: Path | None) -> Context:
    """The context of a run, whose ``spec`` names the copies of given files in ``folder``, where there is one.

    Raises InputError, MissingError or FileFormatError for what cannot be used, StorageError for what cannot be copied.
    """
    spec = replace(spec, region_was=_was(spec, prior))
    attachments = attachments_for(prior, spec.control, spec.style_file, load_control)
    given = given_views(spec, prior.info, folder)
    given = None if given is None else stood(given, spec, prior)
    guide = guide_for(spec, prior, given, folder)
    spec = replace(spec, images=kept_with(spec.images, folder), reference=input_files.kept_with(spec.reference, folder))
    context = Context.of(spec, prior, attachments, given, guide)
    if guide is None:
        return context
    return replace(context, guide=replace(guide, likeness=wanted_likeness(context, guide)))


def _was(spec: RunSpec, prior: Prior) -> str:
    """The words, as the prior reads them, for what a region is changed of; empty where nothing says them."""
    was = spec.region_was.strip() or (words_before(spec) if spec.region.strip() else "")
    return heard(replace(spec, prompt=was)).prompt if was and prior.info.taught_words else was
