"""The table of edits: which part changes, to what, within which box; and how its numbers are made."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.core.boxes import contained
from engine.toybox.benchmark.edits import ANEW, IN_A_BOX, EditResult, EditTask, decibels, edits_table
from engine.toybox.benchmark.tasks import text_tasks
from engine.toybox.benchmark.texture import FINE, drawn_all_round
from engine.toybox.classifier import base_colour, load_classifier


@pytest.mark.parametrize(
    "task", [EditTask.of(task) for task in text_tasks(4)], ids=lambda task: task.task.kind
)
def test_one_part_gets_a_colour_that_nothing_had_and_nothing_else_changes(task: EditTask) -> None:
    before, after = task.task.object, task.after
    assert task.colour not in {base_colour(words) for words in before.part_colours.values()}
    assert (
        after.part_colours[task.part] == task.colour
        and task.colour in task.words
        and task.words != task.task.prompt
    )
    assert np.array_equal(before.mesh.vertices, after.mesh.vertices)
    changed = np.abs(before.mesh.face_colours - after.mesh.face_colours).max(1) > 0.1
    middles = torch.from_numpy(before.mesh.vertices[before.mesh.faces].mean(1))
    inside = contained((task.box,), middles).numpy()
    assert changed.any() and inside[changed].all() and not changed.all()


def test_the_true_objects_are_judged_rightly() -> None:
    task, classifier = EditTask.of(text_tasks(1)[0]), load_classifier()
    for obj, expected in ((task.after, 1.0), (task.task.object, 0.0)):
        shape = ReferenceShape(obj.mesh.vertices, obj.mesh.faces, obj.mesh.face_colours)
        assert task.right(drawn_all_round(shape, FINE), classifier) == expected


def test_decibels_and_the_means_and_least_of_a_row() -> None:
    assert decibels(np.zeros(4), np.full(4, 0.1)) == pytest.approx(20)
    results = [
        EditResult(IN_A_BOX, 1.0, 42.0, 3.0),
        EditResult(IN_A_BOX, 0.0, 40.0, 5.0),
        EditResult(ANEW, 1.0, 15.0, 9.0),
    ]
    lines = edits_table(results).splitlines()
    assert (
        lines[2] == f"| {IN_A_BOX} | 50% | 41.0 | 40.0 | 4.0 |"
        and lines[3] == f"| {ANEW} | 100% | 15.0 | 15.0 | 9.0 |"
    )
