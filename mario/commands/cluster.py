"""`mario-cluster`: check a Ray cluster before training on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from mario.commands import cli

NAME = "mario-cluster"
DESCRIPTION = """Check a Ray cluster before training on it with mario-train --cluster.

Prints for each machine its cores and memory, how fast it receives data, and whether it has the same
versions of the program, torch and Python. Exits with 1 if a machine cannot be used.
"""


@dataclass(frozen=True)
class ClusterFlags:
    """The flags of ``mario-cluster``."""

    action: Annotated[Literal["check"], tyro.conf.Positional]
    """What to do: check."""
    address: Annotated[str, tyro.conf.Positional] = "auto"
    """HOST:PORT of the head, or auto to start Ray on this machine for the check."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``mario-cluster``."""
    cli.start(NAME, check, arguments)


def check(arguments: Sequence[str]) -> int:
    """Check a cluster.

    Args:
        arguments: the command line without the name of the command.

    Returns:
        The exit code: 0 if all machines can be used, otherwise 1.
    """
    flags = cli.parse(NAME, ClusterFlags, arguments, DESCRIPTION)
    from mario.cluster.check import check_cluster, require_ray

    require_ray()
    return 0 if check_cluster(flags.address, print) else 1
