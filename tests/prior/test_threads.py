"""The number of threads follows what is fastest, on a clock of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys

import torch

from engine.prior.toybox.threads import FIRST_PAUSE_CALLS, LONGEST_PAUSE_CALLS, FastestThreads


class Machine:
    """Calls take one second with one thread, and ``other`` seconds with more."""

    def __init__(self, other: float) -> None:
        self.now, self.other, self.used = 0.0, other, []

    def call(self) -> int:
        self.used.append(torch.get_num_threads())
        self.now += 1.0 if self.used[-1] == 1 else self.other
        return len(self.used)


def ran(machine: Machine, threads: FastestThreads, calls: int) -> list[int]:
    start = len(machine.used)
    for _ in range(calls):
        threads.run(machine.call)
    return machine.used[start:]


def test_idle_cores_are_used_and_given_back_when_they_become_busy() -> None:
    torch.set_num_threads(1)
    machine = Machine(0.6)
    threads = FastestThreads(2, lambda: machine.now)
    assert set(ran(machine, threads, FIRST_PAUSE_CALLS - 1)) == {1}
    assert ran(machine, threads, 20).count(2) >= 18
    machine.other = 8.0
    assert ran(machine, threads, 60)[-30:].count(1) >= 28
    assert torch.get_num_threads() == 1


def test_tries_become_rare_on_a_busy_machine() -> None:
    machine = Machine(8.0)
    threads = FastestThreads(2, lambda: machine.now)
    assert ran(machine, threads, 600).count(2) <= 7
    assert threads.pause == LONGEST_PAUSE_CALLS


def test_one_core_is_never_left_and_a_failed_call_leaves_the_threads_as_they_were() -> None:
    machine = Machine(0.1)
    assert set(ran(machine, FastestThreads(1, lambda: machine.now), 50)) == {1}
    threads = FastestThreads(2, lambda: machine.now)
    try:
        threads.run(lambda: 1 / 0)
    except ZeroDivisionError:
        assert torch.get_num_threads() == 1
    else:
        raise AssertionError


def test_cores_that_somebody_takes_are_given_back_within_a_few_calls() -> None:
    machine = Machine(0.6)
    threads = FastestThreads(2, lambda: machine.now)
    ran(machine, threads, 500)
    machine.other = 4.0
    used = ran(machine, threads, 10)
    assert used.index(1) <= 3 and set(used[-5:]) == {1}


def test_waiting_threads_sleep_wherever_torch_comes_from() -> None:
    """The policy counts only if it is there before torch is."""
    code = "import sys, engine.session, os; print('torch' in sys.modules, os.environ['OMP_WAIT_POLICY'])"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=without_policy()
    )
    assert shown.stdout.split() == ["False", "PASSIVE"]


def without_policy() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
