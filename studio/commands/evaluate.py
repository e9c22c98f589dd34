"""``python -m studio evaluate``: sets of prompts made into assets, or finished assets found, and judged from
all sides.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from engine.assets.export.files import atomic_path
from engine.assets.export.sheet import write_png
from engine.errors import InputError, MissingError, StorageError, StudioError, storage_errors
from engine.evaluation.assets import Asset, existing_assets, make, wanted_assets
from engine.evaluation.judging import LOOKS, Judgement, Look, judge
from engine.evaluation.prompts import read_sets
from engine.evaluation.report import NO_ANSWER, Row, document, tables
from engine.evaluation.sheet import SIZE, compose
from engine.loop.devices import limit_threads
from engine.loop.frames import azimuth_strip
from engine.loop.messages import Stepped
from engine.loop.settings import Settings, with_values
from engine.loop.spec import Knobs, RunSpec
from engine.prior.base import Prior
from engine.prior.registry import load_prior
from engine.scoring.base import Scorer
from engine.scoring.registry import fetch_scorer, find_scorer, installed, load_scorer, scorer_infos
from engine.session.presets import apply_preset, find_preset
from studio.batch import table as batch_table
from studio.batch.outcomes import Outcomes
from studio.commands.batch import make_all, makers_for
from studio.commands.folders import put_aside, ready
from studio.commands.generate_options import GenerateOptions, named_values
from studio.commands.listing import agreed

FILES = ("report.json", "report.md", "sheet.png")
ASSETS, JUDGED = "assets", "judged"
FORMATS = ("ply", "glb", "png")
SHEET_ROWS = 24


def evaluate(options: argparse.Namespace) -> None:
    """Do what the options ask for. What was made or judged already is kept, so an interrupted evaluation goes
    on.
    """
    if options.list:
        _list()
    elif options.fetch is not None:
        _fetch(options.fetch, accepted=options.yes)
    else:
        _evaluate(options)


def _evaluate(options: argparse.Namespace) -> None:
    limit_threads()
    ready(options.out)
    scorers = [load_scorer(name.strip()) for name in dict.fromkeys(options.scorer.split(","))]
    look = LOOKS[options.viewpoints]
    results: Path | None = options.results
    settings = None if results is not None else _settings(options)
    if results is not None:
        assets = existing_assets(results)
    else:
        assert settings is not None
        assets = wanted_assets(read_sets(options.prompts, options.limit), settings, options.out / ASSETS)
        make_elsewhere(assets, options)
    rows: list[Row] = []
    try:
        with tqdm(assets, unit="asset", disable=options.quiet) as bar:
            maker = _Maker(None if settings is None else settings.spec.prior)
            for asset in bar:
                own = _rows_of(asset, scorers, look, options.out / JUDGED, maker, bar)
                rows += own
                tqdm.write(_line(asset, own))
    finally:
        if rows:
            put_aside(options.out, FILES)
            _write(rows, look, settings, options.out)


def make_elsewhere(assets: Sequence[Asset], options: argparse.Namespace) -> None:
    """Make what is not there yet by several workers, or on a cluster, as ``batch`` does; one worker makes it
    while it judges.

    What fails is tried once more where it is judged, and told there.
    """
    todo = [asset for asset in assets if not asset.finished]
    if not todo or (options.workers == 1 and options.ray is None):
        return
    named = {**named_values(options.set), "seed": options.seed}
    rows = [
        batch_table.Row(f"{asset.set_name}-{asset.name}", number, GenerateOptions(
            out=asset.folder.absolute(), prompt=asset.prompt, preset=options.preset, settings=named,
                formats=",".join(FORMATS),
            quiet=True,
        ))
        for number, asset in enumerate(todo, 1)
    ]  # fmt: skip
    make_all(rows, makers_for(options), Outcomes.of(options.out), quiet=options.quiet)


def _settings(options: argparse.Namespace) -> Settings:
    """The preset with what the command line changes of it; each prompt takes the place of this one."""
    settings = apply_preset(find_preset(options.preset), Settings(RunSpec(prompt="an object"), Knobs()))
    named = named_values(options.set)
    if options.limit < 0:
        raise InputError(
            f"--limit is {options.limit}; it must be 1 or more.", "Leave it out to make every prompt."
        )
    if "prompt" in named:
        raise InputError(
            "--set prompt=... says nothing here.", "Give prompts with --prompts FILE, one a line."
        )
    return with_values(settings, {**named, "seed": options.seed})


class _Maker:
    """Makes assets that are not finished yet; the prior is loaded when the first one needs it."""

    def __init__(self, prior_id: str | None) -> None:
        self.prior_id, self.prior = prior_id, None

    def make(self, asset: Asset, report: Callable[[Stepped], None]) -> None:
        """Run it to its end unless it is there."""
        if asset.finished:
            return
        for event in make(asset, self._load, FORMATS):
            if isinstance(event, Stepped):
                report(event)

    def _load(self, prior_id: str) -> Prior:
        self.prior = self.prior or load_prior(prior_id)
        return self.prior


def _rows_of(
    asset: Asset, scorers: Sequence[Scorer], look: Look, folder: Path, maker: _Maker, bar: tqdm
) -> list[Row]:
    """The asset under each scorer; what goes wrong with it is told in its rows. A full disk ends
    everything.
    """
    try:
        maker.make(
            asset,
            lambda event: bar.set_postfix_str(
                f"{asset.prompt[:30]}, {event.stage} {event.step}/{event.steps}"
            ),
        )
        seconds = asset.facts()["seconds"].get("total")
    except StorageError:
        raise
    except MissingError:
        raise  # what is missing for one asset is missing for all
    except StudioError as error:
        return [Row(asset, scorer.info, trouble=error.what) for scorer in scorers]
    rows = []
    for scorer in scorers:
        judgement = _judgement(asset, scorer, look, folder)
        rows.append(Row(asset, scorer.info, judgement, "" if judgement else NO_ANSWER, seconds))
    return rows


def _judgement(asset: Asset, scorer: Scorer, look: Look, folder: Path) -> Judgement | None:
    """As it was stored for the same asset, scorer and viewpoints; else judged now, and stored."""
    facts = [asset.prompt, asset.fingerprint(), scorer.info.id, scorer.info.revision, asdict(look)]
    mark = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]
    path = folder / f"{asset.set_name}-{asset.name}-{scorer.info.id}-{mark}.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return None if stored is None else Judgement.from_plain(stored)
    except (OSError, ValueError, TypeError, KeyError):
        judgement = judge(asset.copy(), asset.prompt, scorer, look)
        _write_text(path, json.dumps(None if judgement is None else judgement.as_plain()) + "\n")
        return judgement


def _line(asset: Asset, rows: Sequence[Row]) -> str:
    """One line for the terminal."""
    parts = []
    for row in rows:
        own = row.judgement
        words = (
            row.trouble
            if own is None
            else f"mean {own.mean:.1f}, worst {own.worst:.1f} at {own.worst_azimuth_deg:.0f}°"
        )
        parts.append(f"{row.scorer.id}: {words}")
    return f"{asset.set_name}: {asset.prompt}: " + "; ".join(parts)


def _write(rows: Sequence[Row], look: Look, settings: Settings | None, out: Path) -> None:
    _write_text(out / "report.json", json.dumps(document(rows, look, settings), indent=1) + "\n")
    _write_text(out / "report.md", tables(rows))
    drawn = [row for row in rows if row.judgement is not None and row.scorer == rows[0].scorer][:SHEET_ROWS]
    if drawn:
        write_png(
            out / "sheet.png",
            compose(drawn, [azimuth_strip(row.asset.copy(), SIZE, look.azimuths) for row in drawn]),
        )
    print(tables(rows, details=False))
    for name in FILES:
        if (out / name).exists():
            print(out / name)


def _write_text(path: Path, text: str) -> None:
    with storage_errors(path), atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _list() -> None:
    for info in scorer_infos():
        state = "installed" if installed(info) else f"not installed, {info.size_mb} MB"
        print(f"{info.id:<14} {info.title}: {info.sentence}  [{state}; {info.licence}]")


def _fetch(name: str, *, accepted: bool) -> None:
    info = find_scorer(name)
    if not info.source or installed(info):
        print(f"{info.id} is already installed.")
        return
    print(f"{info.title}: about {info.size_mb} MB from {info.source}; licence: {info.licence}")
    if not accepted and not agreed():
        raise MissingError(f"{info.id} was not fetched.", "Answer y, or pass --yes.")
    with tqdm(total=1.0, unit="", desc=info.id) as bar:
        fetch_scorer(info, lambda share: bar.update(share - bar.n))
    print(f"{info.id} is here." if installed(info) else f"{info.id} is here; now run: {info.install}")
