"""Worker processes end with the process that started them, also if that one is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.toybox.benchmark.workers import each_of

ROOT = Path(__file__).parents[2]
PARENT = """
import time
from multiprocessing import get_context
from engine.toybox.benchmark.workers import end_with_parent

def work():
    end_with_parent()
    print("ready", flush=True)
    time.sleep(300)

if __name__ == "__main__":
    worker = get_context("spawn").Process(target=work)
    worker.start()
    worker.join()
"""


def test_a_worker_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT, encoding="utf-8")
    told = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, str(script)], env=told, stdout=subprocess.PIPE, text=True)
    assert parent.stdout.readline() == "ready\n"
    parent.kill()
    # ends when nobody holds the pipe any more: neither parent nor worker
    rest, _ = parent.communicate(timeout=120)
    assert rest == ""


@pytest.mark.heavy
def test_a_cluster_measures_as_worker_processes_do() -> None:
    pytest.importorskip("ray")
    node = {"num_cpus": 1, "include_dashboard": False}
    cluster = pytest.importorskip("ray.cluster_utils").Cluster(initialize_head=True, head_node_args=node)
    try:
        assert sorted(each_of(abs, [-3, 1, -2], 1, cluster.address)) == [1, 2, 3]
    finally:
        cluster.shutdown()
