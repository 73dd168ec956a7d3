"""REINFORCE: the agent, its hyperparameters, its loss and its buffer of episodes.

It reproduces the NumPy tutorial "Deep Reinforcement Learning: Pong from Pixels".
"""
