"""Metrics of a run: log, CSV files, TensorBoard, plots and the progress bar.

`MetricLogger` writes everything but the bar, from the `EpisodeRecord` of each finished episode, the
scalars that the agent's learning reports, and the results of evaluations.
"""
