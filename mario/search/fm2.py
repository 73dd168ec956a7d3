"""Exchange of plays with FCEUX, an NES emulator, as movies in its text format ``.fm2``.

A movie has one line per frame. It starts at power-on, where this program instead presses Start and
skips waiting times by writing to the console's RAM. The buttons of an exported movie are exact, but
FCEUX needs a savestate of the same frame to play them; and frames in which this program skips a cut
scene, for example a pipe, are not in the movie. An imported movie is exact if its first line
belongs to the first frame of the episode, and the level has no cut scenes.

Format: https://fceux.com/web/FM2.html
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from mario.errors import UsageError
from mario.games.actions import ALL_BUTTONS, BUTTONS
from mario.search.backend import make_nes_game
from mario.search.demonstration import MAX_BYTES, MAX_STEPS, Demonstration
from mario.search.interface import Play

SUFFIX = ".fm2"
MAX_MOVIE_BYTES = 32 * MAX_BYTES
COLUMNS = {"R": "right", "L": "left", "D": "down", "U": "up",
           "T": "start", "S": "select", "B": "B", "A": "A"}  # fmt: skip
"""The columns of a controller in a movie, in their order."""

_BITS = [BUTTONS[name] for name in COLUMNS.values()]


def export_movie(demonstration: Demonstration) -> str:
    """Return a movie with the frames of a demonstration, without the start of the game."""
    frames = bytes(demonstration.noops) + b"".join(
        bytes([buttons]) * demonstration.skip for buttons in demonstration.play
    )
    header = [
        "version 3",
        "emuVersion 20604",
        "palFlag 0",
        f"romFilename {demonstration.game}",
        "guid 00000000-0000-0000-0000-000000000000",
        "fourscore 0",
        "port0 1",
        "port1 0",
        "port2 0",
        "comment start The first frame is the first one of the episode; load a savestate there.",
        f"comment rom-sha256 {demonstration.rom_sha256}",
    ]
    return "\n".join([*header, *(f"|0|{_line(buttons)}|||" for buttons in frames)]) + "\n"


def import_movie(path: Path) -> Play:
    """Return the buttons of each frame of a movie, one mask per byte.

    Raises:
        UsageError: The file cannot be read, is not a movie in text format, or presses the reset or
            power button after the first frame.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_MOVIE_BYTES + 1)
        lines = data.decode("utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"movie {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"movie {path} is not text; save it in FCEUX without binary") from None
    if len(data) > MAX_MOVIE_BYTES or not lines or lines[0].split() != ["version", "3"]:
        raise UsageError(f"movie {path} is not an .fm2 movie of version 3; give another file")
    frames = [line for line in lines if line.startswith("|")]
    if not 0 < len(frames) <= MAX_STEPS:
        raise UsageError(f"movie {path} has {len(frames):,} frames; give 1 to {MAX_STEPS:,}")
    return bytes(_parse(path, number, line) for number, line in enumerate(frames, start=1))


def load_movie(path: Path, game_id: str | None, emulator: str = "auto") -> Demonstration:
    """Return a movie as a demonstration whose steps are single frames.

    Args:
        path: The movie.
        game_id: The game that it plays from the start of an episode.
        emulator: Name of an emulator.

    Raises:
        UsageError: The movie cannot be imported, or there is no such game.
    """
    if game_id is None:
        raise UsageError(
            f"movie {path} does not name a game; add --game, e.g. SuperMarioBros-1-1-v0"
        )
    play = import_movie(path)
    with closing(make_nes_game(game_id, emulator)) as game:
        return Demonstration(
            game=game_id, rom_sha256=game.rom_sha256, emulator=game.emulator.name, seed=0, noops=0,
            reward_version=game.reward_version, actions=ALL_BUTTONS, skip=1, ending="", play=play,
        )  # fmt: skip


def _line(buttons: int) -> str:
    """Return the column of a controller.

    >>> _line(0b1000_0001)
    'R......A'
    """
    letters = zip(COLUMNS, _BITS, strict=True)
    return "".join(letter if buttons & bit else "." for letter, bit in letters)


def _parse(path: Path, number: int, line: str) -> int:
    """Return the buttons of one frame."""
    parts = line.split("|")
    if len(parts) < 4 or len(parts[2]) != len(_BITS):
        raise UsageError(f"movie {path}: frame {number} is not a controller's buttons: {line[:40]}")
    if parts[1].strip() not in ("", "0") and number > 1:
        raise UsageError(f"movie {path}: frame {number} resets the console, which cannot be played")
    return sum(bit for bit, pressed in zip(_BITS, parts[2], strict=True) if pressed not in ". ")
