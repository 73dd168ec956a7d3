"""Proximal policy optimization: the agent, its hyperparameters, its loss and its rollout buffer.

The policy is feedforward or has an LSTM.
"""
