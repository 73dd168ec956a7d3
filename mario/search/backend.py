"""Makes explorers and testers for a game: compiled ones for Super Mario Bros., else in Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from mario.emulators.emulator import StateNotSupportedError
from mario.emulators.native import MAPPERS, is_built
from mario.emulators.rom import check_rom
from mario.errors import UsageError
from mario.games.nes_game import STALL_FRAMES, NesGame
from mario.games.registry import MARIO, find_game, make_game
from mario.games.roms import mario_rom
from mario.games.smb_levels import level_location
from mario.search.game_explorer import GameExplorer
from mario.search.game_play_tester import GamePlayTester
from mario.search.interface import Explorer, PlayTester, SearchBackend
from mario.system.threads import available_cores


def make_nes_game(game_id: str, emulator: str = "auto") -> NesGame:
    """Make an NES game without Gymnasium's wrappers.

    Raises:
        UsageError: The game is unknown or not an NES game.
    """
    game = make_game(game_id, emulator=emulator).unwrapped
    if not isinstance(game, NesGame):
        game.close()
        raise UsageError(f"{game_id} has no save-states to search with; give a game on an NES")
    return game


def make_backend(
    game_id: str,
    *,
    skip: int = 4,
    noops: int = 0,
    seed: int = 0,
    emulator: str = "auto",
    threads: int | None = None,
) -> SearchBackend:
    """Make the fastest backend for a game.

    Args:
        game_id: Id in Gymnasium's registry.
        skip: Frames per step.
        noops: Number of no-op frames before the first step.
        seed: Seed of the game's reset.
        emulator: Name of an emulator that can save its state.
        threads: Number of threads of the compiled backend, which does not affect the results; None
            for one per core.

    Raises:
        UsageError: The game is unknown, or cannot be searched with this emulator.
    """
    if emulator in ("auto", "native") and is_built() and find_game(game_id).entry_point == MARIO:
        return NativeMarioBackend(game_id, skip=skip, noops=noops, threads=threads)
    return GameBackend(make_nes_game(game_id, emulator), skip=skip, noops=noops, seed=seed)


class GameBackend:
    """See `mario.search.interface.SearchBackend`; for any NES game whose emulator saves states.

    Args:
        game: The game, which all explorers and testers share.
        skip: Frames per step.
        noops: Number of no-op frames before the first step.
        seed: Seed of the game's reset.

    Raises:
        UsageError: The emulator cannot save its state.
    """

    def __init__(self, game: NesGame, *, skip: int, noops: int = 0, seed: int = 0) -> None:
        self.skip, self._game = skip, game
        game.reset(seed=seed, options={"noops": noops})
        try:
            self._start = game.save_state()
        except StateNotSupportedError as error:
            raise UsageError(str(error)) from None

    def make_explorer(self, button_masks: Sequence[int], *, seed: int, max_length: int) -> Explorer:
        """See `SearchBackend.make_explorer`."""
        self._game.load_state(self._start)
        return GameExplorer(
            self._game, button_masks, skip=self.skip, seed=seed, max_length=max_length
        )

    def make_tester(self) -> PlayTester:
        """See `SearchBackend.make_tester`."""
        self._game.load_state(self._start)
        return GamePlayTester(self._game, skip=self.skip)


class NativeMarioBackend:
    """See `mario.search.interface.SearchBackend`; for Super Mario Bros. in compiled code.

    Args:
        game_id: Id of one of the games of `SuperMarioBros` in Gymnasium's registry.
        skip: Frames per step.
        noops: Number of no-op frames before the first step.
        threads: Number of threads, None for one per core.
    """

    def __init__(
        self, game_id: str, *, skip: int, noops: int = 0, threads: int | None = None
    ) -> None:
        options = find_game(game_id).kwargs
        level, lost_levels = options.get("level"), options.get("lost_levels", False)
        rom = Path(options.get("rom") or mario_rom(options.get("look", "vanilla"), lost_levels))
        check_rom(rom, MAPPERS.__contains__)
        self.skip, self._noops, self._rom = skip, noops, rom.read_bytes()
        self._level = None if level is None else level_location(level, lost_levels)
        self._threads = threads or available_cores()

    def make_explorer(self, button_masks: Sequence[int], *, seed: int, max_length: int) -> Explorer:
        """See `SearchBackend.make_explorer`."""
        from mario.games import _native

        return cast(
            "Explorer",
            _native.MarioExplorer(
                rom=self._rom,
                level=self._level,
                stall_frames=STALL_FRAMES,
                button_masks=bytes(button_masks),
                skip=self.skip,
                noops=self._noops,
                max_length=max_length,
                seed=seed,
                num_threads=self._threads,
            ),
        )

    def make_tester(self) -> PlayTester:
        """See `SearchBackend.make_tester`."""
        from mario.games import _native

        return cast(
            "PlayTester",
            _native.MarioPlayTester(
                rom=self._rom,
                level=self._level,
                stall_frames=STALL_FRAMES,
                skip=self.skip,
                noops=self._noops,
                num_threads=self._threads,
            ),
        )
