"""Ray clusters of processes on this machine, for tests."""

from __future__ import annotations

import psutil

QUICK = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 500,
    "health_check_failure_threshold": 2,
}
"""Health checks that notice a dead machine in two seconds instead of fifteen."""
STORE_BYTES = 150 * 2**20


class Machines:
    """The machines of a cluster; the head has no cores."""

    def __init__(self):
        from ray.cluster_utils import Cluster

        self._cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0, "_system_config": QUICK, "object_store_memory": STORE_BYTES,
                "include_dashboard": False,
            },
        )  # fmt: skip
        self.address = self._cluster.address
        self._machines = []
        self._frozen = []

    def add(self, cores=1):
        node = self._cluster.add_node(num_cpus=cores, object_store_memory=STORE_BYTES)
        self._machines.append(node)

    def kill_one(self):
        """End the machine that joined last without warning."""
        self._cluster.remove_node(self._machines.pop(), allow_graceful=False)

    def freeze_one(self):
        """Stop all processes of the machine that joined last, as if its network were lost."""
        node = self._machines.pop()
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        for process in (raylet, *raylet.children(recursive=True)):
            process.suspend()
            self._frozen.append(process)

    def kill_head(self):
        """End the control service of the head, as a driver on another machine sees it."""
        self._cluster.head_node.kill_gcs_server(check_alive=False)

    def shut_down(self):
        for process in self._frozen:
            process.kill()
        for node in [*self._cluster.worker_nodes, self._cluster.head_node]:
            self._cluster.remove_node(node, allow_graceful=False)
        self._cluster.shutdown()
