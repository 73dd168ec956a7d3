"""An extension of griffe: puts doctests of docstrings into code blocks.

Without it, Markdown reads the prompt ``>>>`` as a quotation.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

DOCTEST = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)
"""A prompt and the lines up to the next empty line."""
FLAGS = re.compile(r" *# doctest: .*$", re.MULTILINE)


def fence(text: str) -> str:
    """Return a docstring whose doctests are in code blocks, without the flags of doctest.

    >>> print(fence(">>> 1 + 1  # doctest: +SKIP" + chr(10) + "2"))
    ```pycon
    >>> 1 + 1
    2
    ```
    """
    return DOCTEST.sub(lambda match: f"```pycon\n{FLAGS.sub('', match[0])}\n```", text)


class FenceDoctests(griffe.Extension):
    """Changes the docstring of every documented object."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """See `griffe.Extension.on_object`."""
        if obj.docstring is not None:
            obj.docstring.value = fence(obj.docstring.value)
