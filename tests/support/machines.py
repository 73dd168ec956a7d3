"""Ray clusters of processes on this machine, for tests."""

from __future__ import annotations

QUICK = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 500,
    "health_check_failure_threshold": 2,
}
"""Health checks that notice a dead machine in two seconds instead of fifteen."""
STORE_BYTES = 150 * 2**20


class Machines:
    """The machines of a cluster; each but the head has one core."""

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
        self._machines = [self._cluster.head_node]

    def add(self):
        self._machines.append(self._cluster.add_node(num_cpus=1, object_store_memory=STORE_BYTES))

    def kill_one(self):
        """End the machine that joined last without warning."""
        self._cluster.remove_node(self._machines.pop(), allow_graceful=False)

    def kill_head(self):
        """End the control service of the head, as a driver on another machine sees it."""
        self._cluster.head_node.kill_gcs_server(check_alive=False)

    def shut_down(self):
        self._cluster.shutdown()
