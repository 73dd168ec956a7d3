"""Double DQN."""
