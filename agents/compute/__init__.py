"""Computation of updates, shared by all algorithms.

`agents.compute.learner.Learner` makes updates: it computes gradients in the chosen precision with
several threads, clips them, skips those that are not finite and steps the optimizer. The other
modules are its parts, the optimizer, and averages of weights.
"""
