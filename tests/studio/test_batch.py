"""Tables of objects: checked before anything begins, every row made once whatever dies, and told in
tables.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from batch_doubles import calls, quick
from PIL import Image

from engine.errors import DeviceError, InputError, MissingError
from studio.batch.cluster import RayCluster
from studio.batch.outcomes import NAME, Outcomes
from studio.batch.report import PAGE, TABLE, write_report
from studio.batch.table import Row, read_table
from studio.batch.workers import LocalWorkers
from studio.cli import main
from studio.commands.batch import make_all

FORMATS = "png"


def table(folder: Path, text: str, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def rows_of(folder: Path, text: str, name: str = "table.csv") -> tuple[Row, ...]:
    return read_table(table(folder, text, name), folder / "out", FORMATS)


def picture(path: Path) -> None:
    rgba = np.zeros((32, 32, 4), np.uint8)
    rgba[8:24, 8:24] = (200, 60, 40, 255)
    Image.fromarray(rgba).save(path)


def test_a_table_holds_words_pictures_and_any_setting(tmp_path: Path) -> None:
    picture(tmp_path / "mug.png")
    text = 'id,prompt,image,seed,refine_steps\nfirst,"a mug, red",,3,20\n,,mug.png@30;mug.png,,\n\n'
    first, second = rows_of(tmp_path, text)
    assert (first.id, first.line, first.options.prompt, first.options.seed) == ("first", 2, "a mug, red", 3)
    assert (
        first.options.settings == {"refine_steps": "20"} and first.options.out == tmp_path / "out" / "first"
    )
    assert second.id == "row-00003" and second.options.image == (
        f"{tmp_path / 'mug.png'}@30",
        str(tmp_path / "mug.png"),
    )
    lines = (
        json.dumps({"prompt": "a red mug", "refine_steps": 20, "id": "é 1"})
        + "\n\n"
        + json.dumps({"prompt": "a chair"})
    )
    assert [row.id for row in rows_of(tmp_path, lines, "table.jsonl")] == ["é 1", "row-00003"]


def test_every_fault_of_a_table_is_named_by_its_line_and_nothing_begins(tmp_path: Path) -> None:
    text = (
        "id,prompt,image,seed,refine_steps,odd\n"
        "a,a red mug,,x,,\n"
        "b,,,,,\n"
        "c,a red mug,no.png,,,\n"
        "d,a red mug,,,-3,\n"
        "e,a red mug,,,,7\n"
        "f,a red mug,,,,\n"
        "f,a red mug,,,,\n"
        "../g,a red mug,,,,\n"
    )
    with pytest.raises(InputError) as refused:
        rows_of(tmp_path, text)
    told = str(refused.value)
    for line, word in (
        (2, "seed"),
        (3, "neither"),
        (4, "no.png"),
        (5, "refine_steps"),
        (6, "odd"),
        (8, "line 7"),
        (9, "folder"),
    ):
        assert any(f"line {line}:" in part and word in part for part in told.splitlines()), (line, word, told)
    assert "7 rows" in told and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "name", "word"),
    [
        ("", "table.csv", "no column"),
        ("seed\n3\n", "table.csv", "no column"),
        ("prompt,prompt\na,b\n", "table.csv", "repeated"),
        ("prompt,seed\na mug, red,3\n", "table.csv", "3 cells"),
        ("prompt\n", "table.csv", "no rows"),
        ("{", "table.jsonl", "not JSON"),
        ("[1]", "table.jsonl", "object"),
        ('{"prompt": ["a"]}', "table.jsonl", "plain values"),
        ("\xff", "missing/none.csv", "cannot be read"),
    ],
)
def test_tables_that_are_none_are_refused(tmp_path: Path, text: str, name: str, word: str) -> None:
    path = tmp_path / name
    if path.parent.is_dir():
        path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=word):
        read_table(path, tmp_path / "out", FORMATS)


def test_rows_are_made_once_whatever_dies_and_the_rest_goes_on(tmp_path: Path) -> None:
    names = ["a", "once-b", "bad-c", "deadly-d", "e", "f"]
    rows = rows_of(tmp_path, "id,prompt\n" + "".join(f"{name},a red mug\n" for name in names))
    known = Outcomes.of(tmp_path)
    make_all(rows, LocalWorkers(2, retries=1, make=quick), known, quiet=True)
    states = {name: known.by_id[name].state for name in names}
    assert states == dict.fromkeys(names, "done") | {"bad-c": "failed", "deadly-d": "failed"}
    assert known.by_id["once-b"].attempts == 2 and known.by_id["deadly-d"].attempts == 2
    assert "exit code 9" in known.by_id["deadly-d"].error
    assert len((tmp_path / NAME).read_text().splitlines()) == len(names), "one outcome a row"

    again = Outcomes.of(tmp_path)
    todo = [row for row in rows if not again.finished(row.id, row.options)]
    assert [row.id for row in todo] == ["bad-c", "deadly-d"], "what is made is kept"
    changed = rows_of(tmp_path, "id,prompt\na,a blue mug\n")
    assert not again.finished("a", changed[0].options), "another wish is another object"
    (rows[4].options.out / "views.png").unlink()
    assert not again.finished("e", rows[4].options), "a result that was deleted is made again"
    assert calls(rows[0].options.out) == 1


def test_an_outcome_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"id": "a", "sta')
    assert Outcomes.of(tmp_path).by_id == {}


def test_a_batch_is_told_in_tables_and_a_page(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, 'id,prompt\na,"a red mug <b>"\nbad-b,a red mug\n')
    known = Outcomes.of(tmp_path)
    make_all(rows, LocalWorkers(1, make=quick), known, quiet=True)
    written = write_report(tmp_path / "out", rows, list(known.by_id.values()))
    assert {path.name for path in written} >= {TABLE, PAGE}
    with (tmp_path / "out" / TABLE).open(newline="") as file:
        told = {each["id"]: each for each in csv.DictReader(file)}
    assert (
        told["a"]["state"] == "done"
        and told["a"]["files"] == "views.png"
        and "else" in told["bad-b"]["remedy"]
    )
    page = (tmp_path / "out" / PAGE).read_text()
    assert "1 of 2 made" in page and "data:image/jpeg" in page and "&lt;b&gt;" in page and '<b>"' not in page


@pytest.mark.heavy
def test_the_command_makes_real_objects_and_goes_on_where_it_was_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    small = "sampling_steps,fit_steps,refine_steps,splats"
    path = table(tmp_path, f"id,prompt,{small}\nmug,a red mug,2,10,1,200\nchair,a blue chair,2,10,1,200\n")
    command = ["batch", str(path), "--out", str(tmp_path / "out"), "--formats", "png", "--quiet"]
    assert main(command) == 0
    assert (tmp_path / "out" / "mug" / "views.png").is_file() and (
        tmp_path / "out" / "chair" / "recipe.toml"
    ).is_file()
    before = (tmp_path / "out" / "mug" / "views.png").stat().st_mtime_ns
    assert main(command) == 0 and (tmp_path / "out" / "mug" / "views.png").stat().st_mtime_ns == before
    assert main([*command, "--workers", "0"]) == 2 and "--workers" in capsys.readouterr().err


def test_a_cluster_that_is_not_there_is_told() -> None:
    with pytest.raises((MissingError, DeviceError)) as refused:
        list(RayCluster("127.0.0.1:1").outcomes(()))
    assert "pip install" in str(refused.value) or "ray start" in str(refused.value)


@pytest.mark.heavy
def test_a_cluster_of_two_nodes_loses_one_and_every_row_is_made_once(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    utilities = pytest.importorskip("ray.cluster_utils")
    small = "sampling_steps,fit_steps,refine_steps,splats"
    text = f"id,prompt,{small}\n" + "".join(f"row{k},a red mug,1,10,2,200\n" for k in range(40))
    rows = rows_of(tmp_path, text)
    cluster = utilities.Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    second = cluster.add_node(num_cpus=1)
    known = Outcomes.of(tmp_path)
    try:
        going = RayCluster(cluster.address, retries=3).outcomes(rows)
        for _ in range(3):
            known.keep(next(going))
        cluster.remove_node(second, allow_graceful=False)
        for outcome in going:
            assert outcome.id not in known.by_id
            known.keep(outcome)
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert {name: each.state for name, each in known.by_id.items()} == {f"row{k}": "done" for k in range(40)}
    kept = ("views.png", "checkpoint.pt")
    assert all((row.options.out / name).is_file() for row in rows for name in kept)
