"""Double DQN: the agent, its hyperparameters, its loss and its exploration.

Options are n-step returns, prioritized replay, a dueling network, random shifts and averages of the
weights.
"""
