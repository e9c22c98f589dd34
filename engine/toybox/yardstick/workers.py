"""Tasks over worker processes: one torch thread each, the prior loaded once in each, results as they are ready."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context

from engine.errors import RunError
from engine.loop.devices import limit_threads
from engine.loop.settings import Settings
from engine.prior.base import Prior
from engine.prior.registry import load_prior
from engine.toybox.classifier import ToyClassifier, load_classifier
from engine.toybox.yardstick.image import ImageResult, measure_image
from engine.toybox.yardstick.tasks import ImageTask, TextTask
from engine.toybox.yardstick.text import TextResult, measure_text


@dataclass(frozen=True)
class Job:
    """One task and the settings to do it with."""

    task: TextTask | ImageTask
    settings: Settings


def measure(job: Job) -> TextResult | ImageResult:
    """Do one job in this process."""
    prior = _prior(job.settings.spec.prior)
    if isinstance(job.task, TextTask):
        return measure_text(job.task, job.settings, prior, _classifier())
    return measure_image(job.task, job.settings, prior)


def measure_all(jobs: Sequence[Job], processes: int) -> Iterator[TextResult | ImageResult]:
    """Results in the order in which they are ready; the same whatever the number of processes. Raises RunError if one dies."""
    if processes == 1:
        limit_threads()
        yield from (measure(job) for job in jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=limit_threads) as pool:
        futures = [pool.submit(measure, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise RunError("A worker process of the benchmark was ended.", "Run it again, or with --processes 1.") from error
        finally:
            for future in futures:
                future.cancel()


@lru_cache(maxsize=1)
def _prior(prior_id: str) -> Prior:
    return load_prior(prior_id)


@lru_cache(maxsize=1)
def _classifier() -> ToyClassifier:
    return load_classifier()
