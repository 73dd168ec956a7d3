"""The games: Super Mario Bros., Tetris and Atari, and the base class for more NES games.

A game is a Gymnasium environment that plays one emulator frame per step and returns the screen.
`register_games` adds the games to Gymnasium's registry, `make_game` makes one. Nothing here imports
torch.
"""

from __future__ import annotations

from mario.games.registry import make_game, register_games

__all__ = ["make_game", "register_games"]
