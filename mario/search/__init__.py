"""Search with save-states: plays that reach the goal of a game, without learning.

`find_demonstration` explores a game by Go-Explore, polishes the play that it finds, and verifies it
by replay. A `Demonstration` is such a play as a small file, which `replay` plays. `explore` and
`polish` work on a `SearchBackend`: compiled code for Super Mario Bros., or any `NesGame`.
"""

from mario.search.backend import make_backend
from mario.search.demonstration import Demonstration
from mario.search.explore import explore
from mario.search.find import SearchOptions, SearchReport, find_demonstration
from mario.search.polish import polish
from mario.search.replay import replay

__all__ = [
    "Demonstration",
    "SearchOptions",
    "SearchReport",
    "explore",
    "find_demonstration",
    "make_backend",
    "polish",
    "replay",
]
