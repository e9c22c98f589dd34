"""``python -m studio generate``: one object, from settings to files, with a progress bar."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from tqdm import tqdm

from engine.assets.images.image_arguments import BETWEEN, listing, pictures_in
from engine.assets.images.input_files import within
from engine.core.paths import given_path
from engine.errors import FileFormatError, InputError, MissingError
from engine.loop import checkpoint
from engine.loop.devices import limit_threads
from engine.loop.image_settings import AUTO, SET
from engine.loop.inspection import recipe_text
from engine.loop.messages import Event, Finished, RolledBack, StageStarted, Stepped, Unattended, Warned
from engine.loop.prompt_words import heard
from engine.loop.recipe import Recipe
from engine.loop.recipe_chain import Replayed
from engine.loop.reference import input_files
from engine.loop.reference.provenance import origin_in
from engine.loop.reference.reference_source import FromRun, FromShelf, names_file, parsed_reference
from engine.loop.results import FORMATS, RESULT_FILES, write_results
from engine.loop.run import run
from engine.loop.settings import Settings, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.loop.validation import check_before_loading
from engine.prior.registry import load_prior
from engine.session.library import default_root
from engine.session.presets import DEFAULT_PRESET, IMAGE_PRESET, apply_preset, find_preset
from engine.session.reference_lookup import References, own_folder, stand_in_for
from studio.commands.folders import put_aside, ready
from studio.commands.generate_options import GenerateOptions
from studio.commands.variations import vary

STAGE_TITLES = {"draft": "draft views", "fit": "fit", "refine": "refine", "sharpen": "sharpen"}


def generate(options: GenerateOptions) -> None:
    """Run what the options ask for and write the results to ``options.out``. Raises StudioError with a
    remedy.
    """
    if options.variations is None:
        make(options)
    else:
        vary(options, settings_from(options).spec.seed, make)


def make(options: GenerateOptions) -> None:
    """One run."""
    limit_threads()
    formats = _formats(options.formats)
    settings = kept_settings(options.out) if options.resume else settings_from(options)
    heard(settings.spec)
    check_before_loading(settings)
    ready(options.out)
    if not options.resume:
        settings = looked_up(settings, options)
        check_before_loading(settings)
    commands = replayed(options, settings)
    events = run(
        settings.spec, settings.knobs, commands, load_prior, folder=options.out, resume=options.resume
    )
    first = next(events)  # what cannot be made is refused by now, and only then are earlier results moved
    if not options.resume:
        put_aside(options.out, (*RESULT_FILES, checkpoint.NAME, checkpoint.PREVIOUS))
    finished = follow(chain([first], events), quiet=options.quiet)
    files = write_results(finished, settings.spec.prior, options.out, formats)
    for path in files.values():
        print(path)


def kept_settings(out: Path) -> Settings:
    """The settings of the run whose checkpoint lies in ``out``. Raises InputError if there is none to go on
    from.
    """
    try:
        return checkpoint.load(out).recipe.settings
    except (MissingError, FileFormatError) as error:
        recipe = out / "recipe.toml"
        how = f", or repeat that run: --recipe {recipe}" if recipe.is_file() else " to make it anew"
        raise InputError(f"--resume cannot go on: {error.what}", f"Leave out --resume{how}.") from error


def looked_up(settings: Settings, options: GenerateOptions) -> Settings:
    """The settings with a reference that is a file in ``options.out``, and a note of what was taken."""
    if parsed_reference(settings.spec.reference) is None and stand_in_for(settings.spec) is None:
        return settings
    settings = _references(options).settled(settings, options.out.absolute())
    origin = origin_in(settings.spec.reference, options.out)
    tqdm.write(f"reference: {origin.sentence() if origin else settings.spec.reference}")
    return settings


def settings_from(options: GenerateOptions) -> Settings:
    """Preset or recipe first, then what the command line names."""
    named = dict(options.settings)
    prompt = options.prompt
    if prompt is None and options.recipe is None and not options.image:
        prompt = own_words(options)
    if options.recipe is not None:
        settings = recipe_settings(options.recipe)
        named |= {"images": images_from(options.image)} if options.image else {}
    else:
        blank = Settings(RunSpec(prompt or "", images=images_from(options.image)), Knobs())
        usual = IMAGE_PRESET if options.image else DEFAULT_PRESET
        settings = apply_preset(find_preset(options.preset or usual), blank)
    if options.recipe is not None and options.preset is not None:
        settings = apply_preset(find_preset(options.preset), settings)
    if options.negative_prompt is not None:
        named["negative_prompt"] = options.negative_prompt
    if options.seed is not None:
        named["seed"] = options.seed
    named |= elevation_values(options.image_elevation) | reference_values(options)
    return with_values(settings, named)


def own_words(options: GenerateOptions) -> str:
    """What the reference is called, where nothing else says what to make. Raises InputError if nothing
    does.
    """
    source = None if options.reference is None else parsed_reference(options.reference)
    if isinstance(source, FromShelf | FromRun):
        references = _references(options)
        words = (
            references.item(source.id) if isinstance(source, FromShelf) else references.result(source.token)
        ).caption
        tqdm.write(f"no --prompt was given, so it is what the reference is called: {words}")
        return words
    raise InputError(
        "There is nothing to make: neither --prompt nor --image nor --recipe was given.",
        'Write for example --prompt "a red mug". Of references, those from the shelf or a run have words '
        "of their own.",
    )


def _references(options: GenerateOptions) -> References:
    return References(options.library or default_root(os.environ), options.shelf or own_folder(os.environ))


def recipe_settings(path: Path) -> Settings:
    """The settings of a recipe; files that lie beside it are found wherever the command is called."""
    settings = Recipe.from_toml(_recipe_text(path)).settings
    spec, folder = settings.spec, path.parent
    own = {"images": within(spec.images, folder), "reference": input_files.within(spec.reference, folder)}
    return with_values(settings, own)


def replayed(options: GenerateOptions, settings: Settings) -> Replayed | Unattended:
    """The live changes of ``--recipe``, to be made again at their steps; nobody steers where there are
    none.
    """
    changes = (
        ()
        if options.recipe is None or options.resume
        else Recipe.from_toml(_recipe_text(options.recipe)).changes
    )
    if not changes:
        return Unattended()
    tqdm.write(f"note: {len(changes)} live changes of the recipe are made again at their steps")
    return Replayed(settings, changes)


def elevation_values(elevation: str | None) -> dict[str, str]:
    """The settings that ``--image-elevation`` names."""
    if elevation is None:
        return {}
    return (
        {"image_elevation": AUTO}
        if elevation == AUTO
        else {"image_elevation": SET, "image_elevation_deg": elevation}
    )


def reference_values(options: GenerateOptions) -> dict[str, str | float]:
    """The settings that ``--reference`` and its companions name."""
    values: dict[str, str | float] = {}
    if options.reference is not None:
        file = names_file(options.reference)
        values["reference"] = (
            str(given_path(options.reference).absolute()) if file else options.reference.strip()
        )
    if options.reference_strength is not None:
        values |= {
            "reference_early": options.reference_strength,
            "reference_late": options.reference_strength,
        }
    if options.reference_curve is not None:
        values["reference_curve"] = options.reference_curve
    return values


def images_from(texts: Sequence[str]) -> str:
    """The setting ``images`` for the values of ``--image``, with full paths. Raises InputError for one that
    cannot be listed.
    """
    for text in texts:
        if BETWEEN in text:
            raise InputError(
                f"--image {text!r} holds {BETWEEN!r}, which stands between pictures.", "Rename the file."
            )
    pictures = pictures_in(BETWEEN.join(texts))
    return listing([replace(picture, path=str(given_path(picture.path).absolute())) for picture in pictures])


def follow(events: Iterable[Event], *, quiet: bool) -> Finished:
    """Pull a run to its end, showing a bar for each stage and printing what a person should know."""
    bar = tqdm(disable=True)
    for event in events:
        if isinstance(event, StageStarted):
            bar.close()
            bar = tqdm(total=event.steps, desc=f"{STAGE_TITLES[event.stage]:>11}", disable=quiet, unit="step")
        elif isinstance(event, Stepped):
            bar.update(event.step - bar.n)
            bar.set_postfix(loss=f"{event.loss:.4g}", refresh=False)
        elif isinstance(event, RolledBack):
            tqdm.write(f"note: went back to step {event.to_step} because {event.reason}")
        elif isinstance(event, Warned):
            tqdm.write(f"note: {event.what} {event.remedy}")
        elif isinstance(event, Finished):
            bar.close()
            return event
    raise AssertionError("a run always ends with Finished")


def _formats(text: str) -> tuple[str, ...]:
    chosen = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [part for part in chosen if part not in FORMATS]
    if unknown:
        raise InputError(
            f"--formats names {', '.join(unknown)}, which cannot be written.",
            f"Choose from {', '.join(FORMATS)}.",
        )
    return chosen


def _recipe_text(path: Path) -> str:
    if not path.is_file():
        raise InputError(
            f"--recipe {path} is not a file.", "Give a recipe.toml, or a file that Maquette exported."
        )
    return recipe_text(path)
