"""What runs in the process of a worker: its messages, its environments, its agent and its loop."""
