"""The limits of containers, which `os.cpu_count` and ``/proc/meminfo`` do not show."""

from __future__ import annotations

import resource

import pytest

from mario.system import threads
from mario.system.limits import allow_files, available_memory, cpu_quota

GB = 10**9


@pytest.fixture
def machine(tmp_path):
    """Return a function that writes files of the kernel, and returns the folders for them."""

    def write(group, files):
        (tmp_path / "proc/self").mkdir(parents=True, exist_ok=True)
        (tmp_path / "proc/self/cgroup").write_text(group)
        (tmp_path / "proc/meminfo").write_text("MemTotal: 99 kB\nMemAvailable: 64000000 kB\n")
        for name, text in files.items():
            (tmp_path / "cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "cgroup" / name).write_text(text)
        return tmp_path / "cgroup", tmp_path / "proc"

    return write


@pytest.mark.parametrize(
    ("group", "files", "quota"),
    [
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "5000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {}, None),
        ("0::/a/b\n", {"a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000"}, 3),
        ("0::/gone/from/here\n", {"cpu.max": "400000 100000"}, 4),
        (
            "3:cpu,cpuacct:/\n0::/\n",
            {"cpu/cpu.cfs_quota_us": "250000", "cpu/cpu.cfs_period_us": "100000"},
            3,
        ),
        (
            "3:cpu:/docker\n",
            {"cpu/docker/cpu.cfs_quota_us": "250000", "cpu/docker/cpu.cfs_period_us": "100000"},
            3,
        ),
        ("3:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ("", {}, None),
        ("0::/../../etc\n", {"cpu.max": "nonsense"}, None),
    ],
)
def test_the_cpu_quota_is_that_of_the_tightest_group(machine, group, files, quota):
    assert cpu_quota(*machine(group, files)) == quota


def test_the_number_of_cores_is_limited_by_the_quota(monkeypatch):
    monkeypatch.setattr(threads, "cpu_quota", lambda: 1)
    assert threads.available_cores() == 1
    monkeypatch.setattr(threads, "cpu_quota", lambda: 10**6)
    assert threads.available_cores() < 10**6


@pytest.mark.parametrize(
    ("group", "files", "memory"),
    [
        ("0::/\n", {}, 65_536_000_000),
        ("0::/\n", {"memory.max": f"{4 * GB}", "memory.current": f"{GB}"}, 3 * GB),
        (
            "0::/\n",
            {
                "memory.max": f"{4 * GB}",
                "memory.current": f"{3 * GB}",
                "memory.stat": f"anon 5\ninactive_file {2 * GB}\n",
            },
            3 * GB,
        ),
        ("0::/\n", {"memory.max": "max", "memory.current": "5"}, 65_536_000_000),
        (
            "4:memory:/job\n",
            {"memory/job/memory.limit_in_bytes": "900", "memory/job/memory.usage_in_bytes": "200"},
            700,
        ),
        (
            "4:memory:/\n",
            {
                "memory/memory.limit_in_bytes": f"{2**63 - 4096}",
                "memory/memory.usage_in_bytes": "1",
            },
            65_536_000_000,
        ),
    ],
)
def test_the_available_memory_is_that_of_the_tightest_group(machine, group, files, memory):
    assert available_memory(*machine(group, files)) == memory


def test_a_system_without_these_files_has_no_known_limit(tmp_path):
    assert available_memory(tmp_path, tmp_path) is None
    assert cpu_quota(tmp_path, tmp_path) is None


def test_the_limit_of_open_files_is_raised_as_far_as_allowed():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, hard))
    try:
        assert allow_files(30) == 40
        assert allow_files(50) == 50
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 50
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
