"""What the judgements amount to: summaries by set, a document for programs, and Markdown tables for
people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any

from engine.evaluation.assets import Asset
from engine.evaluation.judging import Judgement, Look
from engine.loop.settings import Settings, flatten
from engine.scoring.base import ScorerInfo

NO_ANSWER = "this scorer cannot judge this prompt"
SUMMARY_TITLES = (
    "set",
    "assets",
    "judged",
    "quality",
    "best azimuth",
    "mean",
    "worst azimuth",
    "Janus rate",
    "seconds",
)
ROW_TITLES = ("prompt", "quality", "best azimuth", "mean", "worst azimuth", "Janus rate")


@dataclass(frozen=True)
class Row:
    """One asset under one scorer. Without a judgement, ``trouble`` says why; ``seconds`` is what making it
    took.
    """

    asset: Asset
    scorer: ScorerInfo
    judgement: Judgement | None = None
    trouble: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class Summary:
    """Means over the judged assets of one set; None where none was. ``seconds`` is the median over all
    assets.
    """

    set_name: str
    assets: int
    judged: int
    quality: float | None
    best: float | None
    mean: float | None
    worst: float | None
    janus: float | None
    seconds: float | None


def summarise(rows: Sequence[Row]) -> list[Summary]:
    """One summary for each set among rows of one scorer, in their order, and one over all of them where there
    are several.
    """
    names = list(dict.fromkeys(row.asset.set_name for row in rows))
    parts = [_summary(name, [row for row in rows if row.asset.set_name == name]) for name in names]
    return parts if len(parts) == 1 else [*parts, _summary("all", rows)]


def _summary(name: str, rows: Sequence[Row]) -> Summary:
    judged = [row.judgement for row in rows if row.judgement is not None]
    janus = [judgement.janus for judgement in judged if judgement.janus is not None]
    seconds = [row.seconds for row in rows if row.seconds is not None]
    means = {
        key: fmean(getattr(one, key) for one in judged) if judged else None
        for key in ("quality", "best", "mean", "worst")
    }
    return Summary(name, len(rows), len(judged), **means, janus=fmean(janus) if janus else None,
                   seconds=median(seconds) if seconds else None)  # fmt: skip


def document(rows: Sequence[Row], look: Look, settings: Settings | None) -> dict[str, Any]:
    """Everything as plain data: what judged, from where, with which settings, the summaries, and one entry
    for each asset.
    """
    changed = (
        {}
        if settings is None
        else {name: value for name, value in flatten(settings).items() if name != "prompt"}
    )
    viewpoints = {**asdict(look), "fovs_deg": list(look.fovs_deg), "azimuths_deg": look.azimuths_deg()}
    return _rounded(
        {
            "viewpoints": viewpoints,
            "settings": changed,
            "scorers": [_judged_by(own) for own in _by_scorer(rows)],
        }
    )


def _judged_by(rows: Sequence[Row]) -> dict[str, Any]:
    info = rows[0].scorer
    scorer = {
        "id": info.id,
        "title": info.title,
        "source": info.source,
        "revision": info.revision,
        "points": list(info.points),
    }
    return {
        **scorer,
        "sets": [asdict(part) for part in summarise(rows)],
        "assets": [_entry(row) for row in rows],
    }


def _entry(row: Row) -> dict[str, Any]:
    asset = row.asset
    entry = {
        "set": asset.set_name,
        "name": asset.name,
        "prompt": asset.prompt,
        "seconds": row.seconds,
        "trouble": row.trouble,
    }
    return entry if row.judgement is None else {**entry, **row.judgement.as_plain()}


def _by_scorer(rows: Sequence[Row]) -> list[list[Row]]:
    ids = dict.fromkeys(row.scorer.id for row in rows)
    return [[row for row in rows if row.scorer.id == own] for own in ids]


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return round(value, 5) if isinstance(value, float) else value


def tables(rows: Sequence[Row], *, details: bool = True) -> str:
    """Markdown: for each scorer the summary by set, and with ``details`` a row for each asset."""
    lines: list[str] = []
    for own in _by_scorer(rows):
        info = own[0].scorer
        lines += [
            f"## {info.title}",
            "",
            info.sentence,
            "",
            *_header(SUMMARY_TITLES),
            *(_line(part) for part in summarise(own)),
            "",
        ]
        if details:
            lines += [*_header(ROW_TITLES), *(_detail(row) for row in own), ""]
    return "\n".join(lines).rstrip() + "\n"


def _header(titles: Sequence[str]) -> list[str]:
    return ["| " + " | ".join(titles) + " |", "|---|" + "---:|" * (len(titles) - 1)]


def _line(part: Summary) -> str:
    points = [_points(value) for value in (part.quality, part.best, part.mean, part.worst)]
    return _cells(
        part.set_name, str(part.assets), str(part.judged), *points, _share(part.janus), _points(part.seconds)
    )


def _detail(row: Row) -> str:
    if row.judgement is None:
        return _cells(f"{row.asset.prompt} ({row.trouble})", *["–"] * (len(ROW_TITLES) - 1))
    own = row.judgement
    worst = f"{own.worst:.1f} at {own.worst_azimuth_deg:.0f}°"
    return _cells(
        row.asset.prompt, _points(own.quality), _points(own.best), _points(own.mean), worst, _share(own.janus)
    )


def _cells(*words: str) -> str:
    return "| " + " | ".join(word.replace("|", "\\|") for word in words) + " |"


def _points(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
