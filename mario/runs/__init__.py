"""Run folders, checkpoints and trained agents."""
