"""Where Super Mario Bros. keeps what, and what it means.

Addresses and meanings: https://datacrystal.tcrf.net/wiki/Super_Mario_Bros./RAM_map, and the reading
of gym-super-mario-bros 7.4.0, which the literature's scores rest on.
"""

from __future__ import annotations

PLAYER_STATE = 0x000E
FLOAT_STATE = 0x001D
ENEMY_TYPES = range(0x0016, 0x001B)
X_PAGE = 0x006D
X_IN_PAGE = 0x0086
Y_PAGE = 0x00B5
AREA_DATA = 0x00E7, 0x00E8
Y_IN_PAGE = 0x03B8
AREA_CHANGE_TIMER = 0x06DE
SCREEN_PAGE, SCREEN_IN_PAGE = 0x071A, 0x071C
POWER = 0x0756
LIVES = 0x075A
STAGE = 0x075C
WORLD = 0x075F
AREA = 0x0760
MODE = 0x0770
LEVEL_CARD_TIMER = 0x07A0
SCORE_DIGITS = range(0x07DE, 0x07E4)
COIN_DIGITS = range(0x07ED, 0x07EF)
TIME_DIGITS = range(0x07F8, 0x07FB)

DEAD, DYING = 0x06, 0x0B
BUSY = frozenset({0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x07})
"""Player states in which the game walks: on a vine, in a pipe, into a castle, into an area."""
END_OF_WORLD = 2
NO_LIVES = 0xFF
BOWSER, FLAGPOLE = 0x2D, 0x31
SLIDING_DOWN = 3
POWERS = {0: "small", 1: "tall"}


class MarioRam:
    """Reads the memory of Super Mario Bros., and makes the few changes that save waiting.

    Args:
        ram: the console's memory, live, of Python ints.
    """

    def __init__(self, ram: memoryview) -> None:
        self._ram = ram

    @property
    def world(self) -> int:
        """The world, 1 to 8."""
        return self._ram[WORLD] + 1

    @property
    def stage(self) -> int:
        """The stage of the world, 1 to 4."""
        return self._ram[STAGE] + 1

    @property
    def lives(self) -> int:
        """Lives left after this one: 2, 1, 0, then 255."""
        return self._ram[LIVES]

    @property
    def time(self) -> int:
        """Ticks left on the clock, 0 to 999; one is 24 frames."""
        return self._number(TIME_DIGITS)

    @property
    def x(self) -> int:
        """Mario's distance from the left end of the level, in pixels."""
        return self._ram[X_PAGE] * 256 + self._ram[X_IN_PAGE]

    @property
    def y(self) -> int:
        """Mario's height above the lower end of the screen, in pixels."""
        height = 255 - self._ram[Y_IN_PAGE]
        return height + 255 if self._ram[Y_PAGE] == 0 else height

    @property
    def area(self) -> int:
        """Which area is on: where on the cartridge its plan stands. Pipes lead to others."""
        low, high = AREA_DATA
        return self._ram[low] + 256 * self._ram[high]

    @property
    def screen_x(self) -> int:
        """How far the left edge of the screen is from that of the area, in pixels."""
        return self._ram[SCREEN_PAGE] * 256 + self._ram[SCREEN_IN_PAGE]

    @property
    def dying(self) -> bool:
        """Whether Mario has just lost a life: touched by an enemy, or falling down a hole."""
        return self._ram[PLAYER_STATE] == DYING or self._ram[Y_PAGE] > 1

    @property
    def dead(self) -> bool:
        """Whether Mario is dead."""
        return self._ram[PLAYER_STATE] == DEAD

    @property
    def game_over(self) -> bool:
        """Whether the last life is lost."""
        return self._ram[LIVES] == NO_LIVES

    @property
    def busy(self) -> bool:
        """Whether the game moves Mario, and takes no notice of the buttons."""
        return self._ram[PLAYER_STATE] in BUSY

    @property
    def world_over(self) -> bool:
        """Whether Bowser is beaten and the world's last scene is on."""
        return self._ram[MODE] == END_OF_WORLD

    @property
    def flag_get(self) -> bool:
        """Whether the level is cleared."""
        return self.world_over or self._stage_over()

    def info(self) -> dict[str, int | bool | str]:
        """What gym-super-mario-bros 7.4.0 tells, under the same names."""
        return {
            "coins": self._number(COIN_DIGITS),
            "flag_get": self.flag_get,
            "life": self.lives,
            "score": self._number(SCORE_DIGITS),
            "stage": self.stage,
            "status": POWERS.get(self._ram[POWER], "fireball"),
            "time": self.time,
            "world": self.world,
            "x_pos": self.x,
            "y_pos": self.y,
        }

    def choose_level(self, world: int, stage: int, area: int) -> None:
        """Have the game load this level next, each number counted from 1."""
        self._ram[WORLD], self._ram[STAGE], self._ram[AREA] = world - 1, stage - 1, area - 1

    def skip_level_card(self) -> None:
        """Cut short the black card that shows the level and the lives left."""
        self._ram[LEVEL_CARD_TIMER] = 0

    def skip_area_change(self) -> None:
        """Cut short the wait before an area changes, behind a pipe or a flag."""
        if 1 < self._ram[AREA_CHANGE_TIMER] < 255:
            self._ram[AREA_CHANGE_TIMER] = 1

    def kill(self) -> None:
        """Cut short the scene of Mario's death."""
        self._ram[PLAYER_STATE] = DEAD

    def _stage_over(self) -> bool:
        # The same float state is set on a vine, so a flagpole or Bowser must be near.
        ends = any(self._ram[address] in (BOWSER, FLAGPOLE) for address in ENEMY_TYPES)
        return ends and self._ram[FLOAT_STATE] == SLIDING_DOWN

    def _number(self, digits: range) -> int:
        value = 0
        for address in digits:
            value = value * 10 + self._ram[address]
        return value
