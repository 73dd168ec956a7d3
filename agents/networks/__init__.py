"""Networks: the Nature convolutions, Q-value heads, actor-critic and recurrent policies.

The networks scale pixels themselves and do not depend on the learning algorithm.
"""
