"""Evaluate agents as on other machines: other emulator, threads and processor instructions.

    python scripts/experiments/evaluate_machines.py OUT AGENTS [--episodes 31]

AGENTS are checkpoints of games with levels, or folders of them. Each plays greedily, once after
each number of no-op frames from 0 to 30. OUT receives ``machines.json`` and ``machines.md``, a
table of cleared episodes and of the episodes whose actions are those of the first column.

Evaluations in the JSON file are not repeated, so the command continues after an interruption.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from evaluate_levels import TRAINED, find_agents, write_text

from mario.evaluation.episodes import play_episodes
from mario.runs.trained_agent import load_agent

AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
"""Environment variables that keep torch and its libraries from using AVX-512."""


@dataclass(frozen=True)
class Machine:
    """How an agent is evaluated.

    Attributes:
        name: heading of the column.
        emulator: name of the emulator.
        threads: torch's threads for the network.
        avx512: whether the network may use AVX-512.
    """

    name: str
    emulator: str = "native"
    threads: int = 1
    avx512: bool = True


MACHINES = (
    Machine("AVX-512, 1 thread"),
    Machine("2 threads", threads=2),
    Machine("4 threads", threads=4),
    Machine("AVX2, 1 thread", avx512=False),
    Machine("AVX2, 2 threads", threads=2, avx512=False),
    Machine("AVX2, 4 threads", threads=4, avx512=False),
    Machine("nes-py", emulator="nes-py"),
)
"""The columns of the table. The first one is the reference."""


def play(checkpoint: Path, machine: Machine, episodes: int) -> dict[str, Any]:
    """Return the capability of the processor that torch uses, and the episodes by their seeds.

    Args:
        checkpoint: the agent.
        machine: how it is evaluated; ``avx512`` is up to the environment of the process.
        episodes: number of episodes.
    """
    trained = load_agent(checkpoint)
    envs = trained.make_vector_env(
        machine.emulator, episodes=episodes, noop_max=TRAINED.last, seed=TRAINED.seed
    )
    try:
        agent = trained.make_agent(envs, seed=TRAINED.seed)
        torch.set_num_threads(machine.threads)
        results = play_episodes(agent, envs, episodes, epsilon=0.0, seed=TRAINED.seed)
    finally:
        envs.close()
    ordered = sorted(results, key=lambda result: result.seed)
    return {
        "capability": torch.backends.cpu.get_cpu_capability(),
        "cleared": sum(result.cleared for result in ordered),
        "episodes": [[result.seed, result.ending, list(result.actions)] for result in ordered],
    }


def play_in_process(
    tasks: Sequence[tuple[Path, Machine]], avx512: bool, episodes: int
) -> Iterator[dict[str, Any]]:
    """Evaluate in another process, and yield what `play` returns for each task.

    Args:
        tasks: agents, and how each of them is evaluated.
        avx512: whether the process may use AVX-512.
        episodes: number of episodes.

    Raises:
        subprocess.CalledProcessError: an evaluation failed.
    """
    worker = json.dumps([(str(checkpoint), asdict(machine)) for checkpoint, machine in tasks])
    command = [sys.executable, __file__, "--worker", worker, "--episodes", str(episodes)]
    environment = os.environ | ({} if avx512 else AVX2)
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            found = json.loads(line)
            assert avx512 or "512" not in found["capability"], found["capability"]
            yield found
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command[:2])


def format_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the evaluations as a Markdown table with one line for each agent."""
    names = [machine.name for machine in MACHINES]
    lines = [f"| agent | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    by_agent: dict[str, dict[str, Any]] = {}
    for row in rows:
        by_agent.setdefault(row["agent"], {})[row["machine"]] = row["found"]
    for agent, found in by_agent.items():
        reference = found[names[0]]["episodes"]
        cells = [_format(found[name], reference) for name in names if name in found]
        lines.append(f"| {agent} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _format(found: dict[str, Any], reference: list[Any]) -> str:
    """Return the number of cleared episodes, and how many are those of the reference."""
    pairs = zip(found["episodes"], reference, strict=True)
    same = sum(episode == expected for episode, expected in pairs)
    return f"{found['cleared']} of {len(reference)} ({same} same)"


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the evaluations that are missing, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", help="folder of the results")
    parser.add_argument("agents", type=Path, nargs="*", help="checkpoints or folders of them")
    parser.add_argument("--episodes", type=int, default=31)
    parser.add_argument("--worker", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        for checkpoint, machine in options.worker:
            found = play(Path(checkpoint), Machine(**machine), options.episodes)
            print(json.dumps(found), flush=True)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    results, table = options.out / "machines.json", options.out / "machines.md"
    rows = json.loads(results.read_text()) if results.exists() else []
    known = {(row["agent"], row["machine"]) for row in rows}
    missing = [
        (file, machine)
        for machine in MACHINES
        for file in find_agents(options.agents)
        if (file.stem, machine.name) not in known
    ]
    for emulator, avx512 in dict.fromkeys((each.emulator, each.avx512) for each in MACHINES):
        tasks = [
            task for task in missing if (task[1].emulator, task[1].avx512) == (emulator, avx512)
        ]
        pairs = zip(tasks, play_in_process(tasks, avx512, options.episodes), strict=True)
        for (file, machine), found in pairs if tasks else ():
            rows.append({"agent": file.stem, "machine": machine.name, "found": found})
            write_text(results, json.dumps(rows) + "\n")
            print(f"{file.stem}, {machine.name}: {found['cleared']} cleared", flush=True)
    write_text(table, format_table(rows))
    print(table.read_text(), end="")


if __name__ == "__main__":
    main()
