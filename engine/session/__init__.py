"""Jobs, the engine thread, the library on disk and presets: all that a page or a command line needs, without
tensors.
"""

from engine.loop.messages import Pictures
from engine.session.job_views import Cloud, Frame, JobView, Strip
from engine.session.library import default_root
from engine.session.session import Session

__all__ = ["Cloud", "Frame", "JobView", "Pictures", "Session", "Strip", "default_root"]
