"""What `mario-cluster check` says of machines; the Ray tests are in test_launch."""

from __future__ import annotations

import pytest

from mario.cluster import check
from mario.cluster.check import PAYLOAD_BYTES, MachineReport, _machine_reports
from mario.cluster.workers.versions import describe_mismatch, running_versions
from mario.commands import cluster
from mario.errors import UsageError

RESOURCES = {"CPU": 4.0, "memory": 8e9, "object_store_memory": 2e9}


def test_a_machine_is_described_in_one_line():
    answers = {"10.0.0.2": (RESOURCES, PAYLOAD_BYTES / 1e8, ("node", running_versions()))}
    (machine,) = _machine_reports(answers)
    assert machine.problem is None
    assert machine.line() == (
        "10.0.0.2 (node): 4 cores, 8.0 GB for workers, 2.0 GB object store, "
        "100 MB/s from the driver, same versions"
    )


def test_a_machine_with_other_versions_or_without_the_program_is_unusable():
    old = running_versions() | {"torch": "1.0"}
    answers = {
        "10.0.0.2": (RESOURCES, 1.0, ("node", old)),
        "10.0.0.3": (RESOURCES, 0.0, RuntimeError("trace\nNo module named 'mario'")),
    }
    first, second = _machine_reports(answers)
    assert first.line().startswith("10.0.0.2: unusable: torch 1.0, the driver has ")
    assert second == MachineReport("10.0.0.3", problem="RuntimeError: No module named 'mario'")


def test_all_differences_in_versions_are_named():
    own = {"python": "3.11", "torch": "2.14", "program": "abc"}
    assert describe_mismatch(own, dict(own)) is None
    assert describe_mismatch(own, {"python": "3.12", "torch": "2.14"}) == (
        "python 3.12, the driver has 3.11; program missing, the driver has abc"
    )


def test_a_cluster_without_ray_names_what_to_install(monkeypatch):
    monkeypatch.setattr(check, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"install it with pip install 'mario-agents\[cluster\]'"):
        check.require_ray()


def test_an_unknown_action_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        cluster.main(["repair"])
    assert stop.value.code == 2
    assert "check" in capsys.readouterr().err
