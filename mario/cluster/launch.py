"""Opens a training session over a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mario.cluster.check import require_ray
from mario.cluster.jobs.independent import JobWorker
from mario.cluster.protocol import Fleet
from mario.cluster.session import ClusterSession, default_workers, worker_envs
from mario.cluster.workers.gradient_worker import GradientWorker
from mario.cluster.workers.player import PlayerWorker
from mario.config.run_config import TrainConfig
from mario.system.threads import available_cores
from mario.training.callbacks import Callback

JOB_SECONDS = 600.0
"""Time after which a job that has not ended is given to another worker."""


@contextmanager
def cluster_session(
    config: TrainConfig[Any],
    resume: Path | None,
    *,
    stop: Callable[[], bool],
    callbacks: Sequence[Callback] = (),
) -> Iterator[ClusterSession]:
    """Connect to ``config.cluster`` and open a session on it.

    Args:
        config: the configuration of the run.
        resume: see `mario.training.session.Session`.
        stop: see `mario.training.session.Session`.
        callbacks: see `mario.training.session.Session`.

    Yields:
        The session.

    Raises:
        UsageError: the cluster cannot be used, or see `ClusterSession`.
    """
    require_ray()
    from mario.cluster.connection import connected
    from mario.cluster.fleet import RayFleet

    address = str(config.cluster)
    if config.workers is not None:
        worker_envs(config.num_envs, config.workers)  # refuses before Ray takes seconds to start
    plays = config.cluster_mode == "players"
    make_worker: type[Any] = PlayerWorker if plays else GradientWorker
    threads = 1 if plays else config.threads or 1
    cores = max(available_cores(), (config.workers or 0) * threads)
    with connected(address, cores) as cluster_cores:
        config = default_workers(config, cluster_cores)
        assert config.workers is not None
        fleet = RayFleet(
            make_worker, config.workers,
            address=address, timeout=config.worker_timeout, cores=threads,
        )  # fmt: skip
        with ClusterSession(config, resume, fleet=fleet, stop=stop, callbacks=callbacks) as session:
            yield session


@contextmanager
def job_fleet(
    address: str,
    workers: int | None,
    *,
    jobs: int,
    make_worker: Callable[[Any], Any] = JobWorker,
    timeout: float = JOB_SECONDS,
    cores: int = 1,
) -> Iterator[Fleet]:
    """Connect to a cluster and make a fleet for independent jobs.

    Args:
        address: see `mario.cluster.connection.connected`.
        workers: number of workers; None for as many as there are cores and jobs for.
        jobs: number of jobs.
        make_worker: makes a worker from its setup, in its own process.
        timeout: time in seconds in which a worker must answer.
        cores: cores of each worker.

    Yields:
        The fleet, whose workers are not hired yet.

    Raises:
        UsageError: the cluster cannot be used.
    """
    require_ray()
    from mario.cluster.connection import connected
    from mario.cluster.fleet import RayFleet

    with connected(address, max(available_cores(), (workers or 0) * cores)) as free:
        size = workers or max(1, min(free // cores, jobs))
        fleet = RayFleet(make_worker, size, address=address, timeout=timeout, cores=cores)
        try:
            yield fleet
        finally:
            fleet.close()
