"""Metrics: logs, CSV files, TensorBoard and plots."""
