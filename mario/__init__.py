"""Train agents to play Super Mario Bros., other NES games and Atari games.

Importing the package registers its games with Gymnasium. It does not import torch.
"""

from __future__ import annotations

from mario.games.registry import register_games

register_games()
