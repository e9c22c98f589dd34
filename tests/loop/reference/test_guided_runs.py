"""Whole runs with a reference: on a prior in closed form that has no controller, and on a tiny toybox that
has one.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import trimesh
from torch import Tensor

from engine.errors import InputError
from engine.loop.messages import CommandSource, Finished, SetKnobs, Stepped, Stop, Unattended
from engine.loop.reference.provenance import Origin, write_origin
from engine.loop.run import run
from engine.loop.spec import Knobs, RunSpec
from engine.prior.base import Prior
from engine.prior.toybox.info import CONTROLLER
from engine.prior.toybox.pipeline_files import save_controller
from engine.prior.toybox.prior import ToyboxPrior, load_toybox
from engine.prior.toybox.reference_controller import controller_for
from tests.loop.balls import ScriptedCommands, ball_prior, of_type, quick_knobs, quick_spec
from tests.prior.test_toybox_prior import save_tiny

LIVE = {"reference_gate": "open"}


@pytest.fixture(scope="module")
def pole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A thin pole, which is no ball."""
    path = tmp_path_factory.mktemp("models") / "pole.glb"
    trimesh.creation.cylinder(
        radius=0.3, height=2.0, transform=trimesh.transformations.rotation_matrix(-1.5708, [1, 0, 0])
    ).export(path)
    return str(path)


@pytest.fixture(scope="module")
def found_pole(pole: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same pole, as one that was retrieved and that nobody chose."""
    path = Path(shutil.copyfile(pole, tmp_path_factory.mktemp("found") / "pole.glb"))
    write_origin(path, Origin("toybox/1", "a pole", "toybox", "Apache-2.0", 0.5, retrieved=True))
    return str(path)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> ToyboxPrior:
    folder = tmp_path_factory.mktemp("tiny")
    save_tiny(folder)
    controller = controller_for(load_toybox(folder).net, depth=1)
    weights = {name: value + 0.1 * torch.randn_like(value) for name, value in controller.state_dict().items()}
    save_controller(
        folder / CONTROLLER, {k: v for k, v in controller.config.items() if not k.startswith("_")}, weights
    )
    return load_toybox(folder)


def small(**changes: Any) -> RunSpec:
    sizes = {"splats": 200, "render_size": 16, "fit_steps": 10, "sampling_steps": 2, "refine_steps": 3}
    return quick_spec(**{**sizes, **changes})


def events_of(
    spec: RunSpec,
    knobs: Knobs | None = None,
    commands: CommandSource | None = None,
    prior: Prior | None = None,
    **options,
):
    made = prior or ball_prior()
    return list(run(spec, knobs or quick_knobs(), commands or Unattended(), lambda name: made, **options))


def final(events: list) -> list[Tensor]:
    assert isinstance(events[-1], Finished)
    return list(events[-1].copy.scene.parameters().values())


def same(a: list[Tensor], b: list[Tensor]) -> bool:
    return all(torch.equal(*pair) for pair in zip(a, b, strict=True))


SILENT = [
    quick_knobs(reference_early=0.0, reference_late=0.0),
    quick_knobs(ignore_reference=True, **LIVE),
    quick_knobs(reference_curve="0:0", **LIVE),
]


@pytest.mark.parametrize("start", ["draft", "ball"])
@pytest.mark.parametrize("prior", ["ball", "tiny"])
def test_without_strength_a_run_is_the_run_without_a_reference_to_the_bit(
    pole: str, tiny: ToyboxPrior, start: str, prior: str
) -> None:
    used = tiny if prior == "tiny" else None
    spec = small(start=start)
    plain = final(events_of(spec, prior=used))
    for knobs in SILENT:
        assert same(plain, final(events_of(replace(spec, reference=pole), knobs, prior=used)))
    assert not same(plain, final(events_of(replace(spec, reference=pole), quick_knobs(**LIVE), prior=used)))


def likeness(reference: str, strength: float, **changes: Any) -> float:
    """Of the finished shape and the reference."""
    spec = small(refine_steps=21, render_size=24, voxels=16, reference=reference, **changes)
    knobs = quick_knobs(
        reference_early=strength, reference_late=strength, anchor_weight=0.0, views_per_step=2, **LIVE
    )
    steps = of_type(events_of(spec, knobs), Stepped)
    return [step.metrics["reference_similarity"] for step in steps if "reference_similarity" in step.metrics][
        -1
    ]


def test_the_shape_comes_to_resemble_the_reference_the_more_the_stronger_it_is(pole: str) -> None:
    weak, half, full = (likeness(pole, strength) for strength in (0.0, 0.7, 2.0))
    assert weak < half < full


@pytest.mark.parametrize("scene", ["splats", "field"])
def test_it_pulls_any_scene_without_a_draft_too(pole: str, scene: str) -> None:
    assert likeness(pole, 0.0, scene=scene, start="ball") < likeness(pole, 2.0, scene=scene, start="ball")


def test_the_automatic_gate_keeps_out_what_the_prior_would_never_make(found_pole: str) -> None:
    """The pole, which nobody chose, is little like the ball that the prior knows."""
    events = events_of(small(reference=found_pole, refine_steps=1))
    gates = [
        step.metrics["reference_gate"]
        for step in of_type(events, Stepped)
        if "reference_gate" in step.metrics
    ]
    assert gates and set(gates) == {0.0}
    assert same(final(events), final(events_of(small(refine_steps=1))))


def test_what_a_person_chose_is_followed_however_little_it_is_like_the_first_guess(pole: str) -> None:
    spec = small(reference=pole, refine_steps=1)
    runs = [events_of(spec, quick_knobs(reference_follow=follow)) for follow in (1.0, 0.0)]
    followed, hinted = ([step.metrics for step in of_type(events, Stepped)] for events in runs)
    assert all(
        metrics.get("reference_gate", 1.0) == 1.0 and "reference_fit" not in metrics for metrics in followed
    )
    drafted = [
        next(m["reference_similarity"] for m in told if "reference_similarity" in m)
        for told in (followed, hinted)
    ]
    assert drafted[0] > drafted[1] + 0.1 and followed[0]["noise"] < 0.5 < hinted[0]["noise"]


def test_every_step_tells_how_strongly_the_reference_acted_at_its_noise(pole: str, tiny: ToyboxPrior) -> None:
    """Strength 1 at all noise, 0 at none, on a straight line; the controller's gate is open and nobody
    judges.
    """
    knobs = quick_knobs(reference_curve="0:1,1:0", reference_follow=0.0, **LIVE)
    steps = of_type(events_of(small(reference=pole, refine_steps=3), knobs, prior=tiny), Stepped)
    told = [step.metrics for step in steps if step.stage != "fit"]
    assert {step.stage for step in steps} == {"draft", "fit", "refine"}
    for metrics in told:
        assert metrics["reference_strength"] == pytest.approx(metrics["noise"], abs=0.01)
        assert 0 <= metrics["noise"] <= 1 and ("reference_fit" in metrics) == (knobs.reference_gate != "open")
    assert told[0]["noise"] > 0.9 > told[1]["noise"], "the draft begins with noise"
    ignored = of_type(
        events_of(small(reference=pole, refine_steps=1), replace(knobs, ignore_reference=True)), Stepped
    )[-1]
    assert ignored.metrics["reference_strength"] == 0 and "reference_similarity" in ignored.metrics


def test_the_controller_is_asked_once_in_each_call_of_the_prior_while_it_has_strength(
    pole: str, tiny: ToyboxPrior
) -> None:
    def calls(**knobs: Any) -> tuple[int, int]:
        asked, made = [], []
        hooks = [
            tiny.controller.register_forward_hook(lambda *_: asked.append(1)),
            tiny.net.register_forward_hook(lambda *_: made.append(1)),
        ]
        events_of(
            small(reference=pole, refine_steps=2),
            quick_knobs(reference_follow=0.0, **LIVE, **knobs),
            prior=tiny,
        )
        for hook in hooks:
            hook.remove()
        return len(asked), len(made)

    asked, made = calls()
    assert asked == made - 1 and asked > 0, "every call but the first guess"
    asked, made = calls(reference_early=0.0, reference_late=0.0)
    assert asked == 0 < made


def test_strength_is_live_in_the_draft_and_in_refining(pole: str, tiny: ToyboxPrior) -> None:
    spec = small(reference=pole, refine_steps=4, sampling_steps=4)
    knobs = quick_knobs(**LIVE)
    off = replace(knobs, ignore_reference=True)
    results = []
    for take in (None, 2, 17):  # before the third sampling step, and while the shape is refined
        commands = Unattended() if take is None else ScriptedCommands({take: [SetKnobs(1, off)]})
        events = events_of(spec, knobs, commands, prior=tiny)
        results.append(final(events))
        if take is not None:
            assert dict(events[-1].recipe.changes[0].values) == {"ignore_reference": True}
    assert (
        not same(results[0], results[1])
        and not same(results[0], results[2])
        and not same(results[1], results[2])
    )


def test_a_run_goes_on_when_the_file_is_gone_and_its_recipe_knows_the_copy(pole: str, tmp_path: Path) -> None:
    source = tmp_path / "pole.glb"
    source.write_bytes(Path(pole).read_bytes())
    spec, knobs = small(reference=str(source), refine_steps=6), quick_knobs(**LIVE)
    whole = final(events_of(spec, knobs))
    stopped = events_of(spec, knobs, ScriptedCommands({15: [Stop()]}), folder=tmp_path / "run")
    source.unlink()
    kept = stopped[-1].recipe.settings.spec
    assert kept.reference.startswith("given/reference/pole.glb#")
    resumed = events_of(kept, knobs, folder=tmp_path / "run", resume=True)
    assert same(whole, final(resumed)) and resumed[-1].recipe.settings.spec.reference == kept.reference


def test_a_missing_reference_is_refused_before_the_first_event(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not there"):
        events_of(small(reference=str(tmp_path / "none.glb")))
