"""Tasks over worker processes: one torch thread each, the prior loaded once in each, results as they are
ready.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import TypeVar

from engine.core.ray_cluster import connected
from engine.errors import RunError
from engine.loop.devices import limit_threads
from engine.loop.settings import Settings
from engine.prior.base import Prior
from engine.prior.registry import load_prior
from engine.toybox.benchmark.image import ImageResult, measure_image
from engine.toybox.benchmark.tasks import ImageTask, TextTask
from engine.toybox.benchmark.text import TextResult, measure_text
from engine.toybox.classifier import ToyClassifier, load_classifier

EXIT_STATUS = 1
RETRIES = 2  # of a task whose node dies

Todo = TypeVar("Todo")
Done = TypeVar("Done")


def end_with_parent() -> None:
    """From now on, end this process at once when its parent is gone, also if that was killed. Call it in a
    worker process.
    """
    threading.Thread(target=_await_parent, name="watchdog", daemon=True).start()


def _await_parent() -> None:
    """The operating system closes a dead parent's end of the pipe on which this waits."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"
    wait([parent.sentinel])
    os._exit(EXIT_STATUS)


@dataclass(frozen=True)
class Job:
    """One task and the settings to do it with, and for a picture those with which words alone are tried."""

    task: TextTask | ImageTask
    settings: Settings
    text_settings: Settings | None = None


def measure(job: Job) -> TextResult | ImageResult:
    """Do one job in this process."""
    prior = prior_of_process(job.settings.spec.prior)
    if isinstance(job.task, TextTask):
        return measure_text(job.task, job.settings, prior, classifier_of_process())
    return measure_image(
        job.task, job.settings, job.text_settings or job.settings, prior, classifier_of_process()
    )


def measure_all(
    jobs: Sequence[Job], processes: int, ray_address: str = ""
) -> Iterator[TextResult | ImageResult]:
    """Results in the order in which they are ready; the same whatever the number of processes. Raises
    RunError if one dies.
    """
    return each_of(measure, jobs, processes, ray_address)


def _on_cluster(work: Callable[[Todo], Done], jobs: Sequence[Todo], address: str) -> Iterator[Done]:
    ray = connected(address)
    try:
        task = ray.remote(num_cpus=1, max_retries=RETRIES)(_with_one_thread)
        waiting = [task.remote(work, job) for job in jobs]
        while waiting:
            (ready, *_), waiting = ray.wait(waiting, num_returns=1)
            yield ray.get(ready)
    except ray.exceptions.RayError as error:
        raise RunError(
            f"The cluster lost a task {RETRIES + 1} times ({str(error).splitlines()[0]}).", "Run it again."
        ) from error
    finally:
        ray.shutdown()


def _with_one_thread(work: Callable[[Todo], Done], job: Todo) -> Done:
    limit_threads()
    return work(job)


def each_of(
    work: Callable[[Todo], Done], jobs: Sequence[Todo], processes: int, ray_address: str = ""
) -> Iterator[Done]:
    """``work`` done on each job, as it is ready; ``work`` is a function of a module. Raises RunError if a
    worker dies.

    With ``ray_address`` on that cluster, where another node takes over what one that dies leaves.
    """
    if ray_address:
        yield from _on_cluster(work, jobs, ray_address)
        return
    if processes == 1:
        limit_threads()
        yield from (work(job) for job in jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin_worker) as pool:
        futures = [pool.submit(work, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise RunError(
                "A worker process of the benchmark was ended.", "Run it again, or with --processes 1."
            ) from error
        finally:
            for future in futures:
                future.cancel()


def _begin_worker() -> None:
    end_with_parent()
    limit_threads()


@lru_cache(maxsize=1)
def prior_of_process(prior_id: str) -> Prior:
    """The prior, loaded once in each process."""
    return load_prior(prior_id)


@lru_cache(maxsize=1)
def classifier_of_process() -> ToyClassifier:
    """The classifier, loaded once in each process."""
    return load_classifier()
