"""Run folders and checkpoints.

`RunFolder` is the folder of one training run. `checkpoint` writes, verifies and reads checkpoint
files. `load_agent` reads a checkpoint and returns a `TrainedAgent`, from which the agent and its
environments can be made.
"""
