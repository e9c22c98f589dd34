"""The process's locale, kept: lib3mf sets it to "C" for all threads while it reads and writes, and leaves it so.

Afterwards Python would read text files as ASCII wherever no encoding is named.
"""

from __future__ import annotations

import locale
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def locale_kept() -> Iterator[None]:
    """Whatever changes the locale inside, it is as before at the end."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)
