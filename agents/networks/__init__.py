"""Networks: the Nature convolutions, Q-value heads, actor-critic and recurrent policies.

Every network takes uint8 states and scales pixels itself. Nothing here depends on how a network is
trained.
"""
