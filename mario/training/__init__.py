"""Training: the loop, the trainer, its callbacks, and the session that assembles a run.

`Trainer` runs the loop and calls its `Callback` objects. Metrics, the progress bar, evaluations,
warnings and checkpoints are callbacks; `Session` makes them for a configuration.
"""
