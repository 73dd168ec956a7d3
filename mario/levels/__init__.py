"""Trains a list of levels, each in a run of its own, as `mario-train --levels` does.

A `LevelList` is a folder with one run folder for each level and ``levels.json``, which says which
levels are complete. `train_levels` trains them on this machine, each in a process of its own that
resumes its run. `mario.cluster.jobs.level_training` does the same on a cluster.
"""

from mario.levels.level_list import LevelList, LevelRun, Status
from mario.levels.local import train_levels

__all__ = ["LevelList", "LevelRun", "Status", "train_levels"]
