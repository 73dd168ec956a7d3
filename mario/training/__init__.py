"""Training runs: the loop, checkpointing and diagnostics."""
