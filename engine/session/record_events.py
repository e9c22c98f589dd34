"""What the events of a run make of its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.loop.messages import Checkpointed, Event, Pictures, RolledBack, SceneCopy, Stepped, Warned
from engine.loop.settings import Settings, with_values
from engine.session.eta import Pace, with_eta
from engine.session.record import JobRecord
from engine.session.timeline import Moment


def went_back(record: JobRecord, moment: Moment) -> JobRecord:
    """The record of a run that goes on from an earlier moment, with the live settings that it had then."""
    progress = record.progress.back_to(moment.total_step, moment.stage, moment.step, moment.revision)
    knobs = with_values(Settings(record.settings.spec, record.knobs), moment.values or {}).knobs
    back = replace(
        record, progress=progress, knobs=knobs, revision=moment.revision, checkpoint_revision=moment.revision
    )
    return replace(back, checkpoint_step=moment.total_step, error=None, deaths=0)


def recorded(record: JobRecord, event: Event, seconds: float) -> JobRecord:
    """The record after an event that came ``seconds`` after the job was taken up."""
    progress = record.progress.after(event)
    if progress.seconds_to_first_picture is None and isinstance(event, SceneCopy | Pictures):
        progress = replace(progress, seconds_to_first_picture=seconds)
    record = replace(record, progress=progress)
    if isinstance(event, Checkpointed):
        further = event.total_step > record.checkpoint_step  # so it is not this run that ends the program
        record = replace(record, checkpoint_step=event.total_step, deaths=0) if further else record
        return replace(record, checkpoint_revision=progress.revision_applied)
    if isinstance(event, Warned):
        return record.warned(event.what, event.remedy)
    if isinstance(event, RolledBack):
        what = f"The run went back to step {event.to_step:,} of this stage because {event.reason}."
        return record.warned(
            what, "It goes on more gently. If this happens again, lower the guidance or the learning rate."
        )
    return record


def expecting(record: JobRecord, event: Event, pace: Pace, known: Mapping[str, float]) -> JobRecord:
    """The record with the time that the run still takes, where a step has told."""
    if not isinstance(event, Stepped):
        return record
    return replace(record, progress=with_eta(record.progress, record.settings.spec, pace, known))
