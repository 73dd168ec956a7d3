"""Groups of contenders that are measured in turns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from contender import Contender

from agents.compute.bindings import supports_float16
from mario.games.roms import mario_rom
from mario.system.threads import available_cores

TUTORIAL_HYPERPARAMETERS: dict[str, object] = {
    "batch_size": 32,
    "learn_every": 3,
    "separate_target": True,
}


@dataclass(frozen=True)
class Group:
    """Contenders that are measured in turns and shown in one table and one plot.

    Attributes:
        title: Title of the table.
        unit: The unit of the rates, per second.
        baseline: Name of the baseline contender.
        contenders: All contenders.
        axis: Meaning of the contenders' ``x``.
    """

    title: str
    unit: str
    baseline: str
    contenders: list[Contender]
    axis: str = ""


def all_groups(peer_python: Path | None, quick: bool) -> list[Group]:
    """Return all groups.

    Args:
        peer_python: Interpreter with stable-retro and Stable-Baselines3, or None to leave them out.
        quick: Measure only the ends of the curves.
    """
    env_counts = [1, 8, 64] if quick else [1, 2, 4, 8, 16, 32, 64]
    return [
        _frames(peer_python),
        _steps(peer_python, env_counts),
        _loops(peer_python),
        _loops_by_num_envs([1, 8] if quick else [1, 2, 4, 8, 16, 32]),
        _learner([32, 256] if quick else [32, 64, 128, 256]),
        _products(),
        _acting([1, 8, 16]),
        *_pong(peer_python),
        *_cluster(),
    ]


def _frames(peer_python: Path | None) -> Group:
    contenders = [
        Contender(emulator, "contenders.emulation:frames", {"emulator": emulator}, unit="frames")
        for emulator in ("nes-py", "native")
    ]
    if peer_python:
        rom = {"rom": str(mario_rom())}
        contenders.append(
            Contender("FCEUmm", "contenders.fceumm:frames", rom, unit="frames", python=peer_python)
        )
    return Group("emulator frames", "frames", "nes-py", contenders)


def _steps(peer_python: Path | None, env_counts: list[int]) -> Group:
    baseline = "nes-py, wrappers"
    contenders = [
        Contender(baseline, "contenders.emulation:wrapped", {"emulator": "nes-py"}),
        Contender("native, wrappers", "contenders.emulation:wrapped", {"emulator": "native"}),
    ]
    contenders += [
        Contender(
            f"nes-py, {count} processes", "contenders.emulation:process_vector",
            {"emulator": "nes-py", "num_envs": count}, x=count, curve="nes-py, processes",
        )
        for count in (1, 8)
    ]  # fmt: skip
    contenders += [
        Contender(
            f"native vector, {count} envs, {threads} threads", "contenders.emulation:native_vector",
            {"num_envs": count, "threads": threads}, x=count,
            curve=f"native vector, {threads} threads",
        )
        for threads in sorted({1, available_cores()})
        for count in env_counts
        if threads <= count
    ]  # fmt: skip
    if peer_python:
        rom = {"rom": str(mario_rom())}
        contenders.append(
            Contender("FCEUmm, lean", "contenders.fceumm:steps", rom, python=peer_python)
        )
    return Group("preprocessed steps", "steps", baseline, contenders, axis="environments")


def _loops(peer_python: Path | None) -> Group:
    baseline = "tutorial, learning"
    contenders = [
        Contender("tutorial, before learning", "contenders.tutorial:steps", {"learning": False}),
        Contender(baseline, "contenders.tutorial:steps", {"learning": True}),
        Contender(
            f"{baseline}, 1 thread", "contenders.tutorial:steps", {"learning": True, "threads": 1}
        ),
        _ours("tutorial's settings, 1 env", 1, TUTORIAL_HYPERPARAMETERS | {"precision": "float32"}),
        _ours("tutorial's settings, 8 envs", 8, TUTORIAL_HYPERPARAMETERS),
        _ours("4 samples per step, 8 envs", 8, _samples_per_step(4)),
        _ours("8 samples per step, 8 envs", 8, _samples_per_step(8)),
    ]
    if peer_python:
        contenders += [
            Contender(
                f"Stable-Baselines3 {algorithm.upper()}", f"contenders.sb3:{algorithm}",
                {"emulator": "nes-py"}, python=peer_python,
            )
            for algorithm in ("dqn", "ppo")
        ]  # fmt: skip
    return Group("learning", "steps", baseline, contenders)


def _loops_by_num_envs(env_counts: list[int]) -> Group:
    contenders = [
        _ours(f"{samples} samples per step, {count} envs", count, _samples_per_step(samples), count)
        for samples in (4, 8)
        for count in env_counts
    ]
    return Group(
        "learning, by environments", "steps", contenders[0].name, contenders, axis="environments"
    )


def _learner(batches: list[int]) -> Group:
    contenders = [
        Contender(
            f"{precision}, batch {batch}, {threads} threads", "contenders.learner:updates",
            {"batch_size": batch, "precision": precision, "threads": threads},
            unit="samples", x=batch, curve=f"{precision}, {threads} threads",
        )
        for precision in ("float32", "bfloat16", *(["float16"] if supports_float16() else []))
        for threads in sorted({1, available_cores()})
        for batch in batches
    ]  # fmt: skip
    return Group("updates", "samples", contenders[0].name, contenders, axis="batch")


def _products() -> Group:
    contenders = [
        Contender(
            f"{precision}, {threads} threads", "contenders.learner:products",
            {"precision": precision, "threads": threads}, unit="gflop",
        )
        for precision in ("float32", "bfloat16")
        for threads in sorted({1, available_cores()})
    ]  # fmt: skip
    return Group("matrix products", "gflop", contenders[0].name, contenders)


def _acting(env_counts: list[int]) -> Group:
    contenders = [
        Contender(
            f"{count} envs", "contenders.learner:acts", {"num_envs": count}, unit="states", x=count
        )
        for count in env_counts
    ]
    return Group(
        "acting, one thread", "states", contenders[0].name, contenders, axis="environments"
    )


def _pong(peer_python: Path | None) -> list[Group]:
    """The other algorithms on Pong, each compared with its peer."""
    numpy = Contender("NumPy, 1 env", "contenders.numpy_policy_gradient:steps")
    groups = [_versus_peers("reinforce", "policy gradient", [numpy])]
    if peer_python:
        groups += [
            _versus_peers(algorithm, algorithm.upper(), [
                Contender(
                    f"Stable-Baselines3, {count} envs", "contenders.pong:sb3",
                    {"algorithm": algorithm, "num_envs": count}, python=peer_python,
                )
                for count in counts
            ])
            for algorithm, counts in (("dqn", (1, 8)), ("ppo", (8,)))
        ]  # fmt: skip
    return groups


def _cluster() -> list[Group]:
    """Training on a Ray cluster of this machine, with as many workers as it has cores."""
    cores = available_cores()
    example = Contender(
        f"Ray's example, {cores} workers", "contenders.ray_policy_gradient:steps",
        {"workers": cores},
    )  # fmt: skip
    pong = [example, *_with_and_without_cluster(["--preset", "pong-karpathy"], cores)]
    mario = _with_and_without_cluster(["--agent", "ppo"], cores)
    return [
        Group("Pong over Ray, policy gradient", "steps", example.name, pong),
        Group("World 1-1 over Ray, PPO", "steps", mario[0].name, mario),
    ]


def _with_and_without_cluster(flags: list[str], workers: int) -> list[Contender]:
    return [
        Contender(
            f"this project, {name}", "contenders.cluster:steps",
            {"flags": flags, "workers": count},
        )
        for name, count in (("no cluster", 0), (f"{workers} workers", workers))
    ]  # fmt: skip


def _versus_peers(algorithm: str, title: str, peers: list[Contender]) -> Group:
    ours = Contender("this project, 8 envs", "contenders.pong:ours", {"algorithm": algorithm})
    return Group(f"Pong, {title}", "steps", peers[0].name, [*peers, ours])


def _ours(name: str, num_envs: int, hyper: dict[str, object], x: float | None = None) -> Contender:
    arguments = {"emulator": "auto", "num_envs": num_envs, "hyper": hyper}
    curve = name.split(",")[0]
    return Contender(f"this project, {name}", "contenders.loops:ours", arguments, x=x, curve=curve)


def _samples_per_step(samples: int) -> dict[str, object]:
    """Batches of 128 at the given number of samples per step, with little exploration."""
    return {
        "batch_size": 128, "learn_every": 128 // samples,
        "exploration_start": 0.1, "exploration_decay": 1.0,
    }  # fmt: skip
