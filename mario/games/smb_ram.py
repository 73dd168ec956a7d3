"""RAM addresses of Super Mario Bros. and their meaning.

Sources: https://datacrystal.tcrf.net/wiki/Super_Mario_Bros./RAM_map and gym-super-mario-bros 7.4.0,
on which published scores are based.
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
MAZE_CHECKS_PASSED, MAZE_CHECKS = 0x06D9, 0x06DA
SCREEN_PAGE, SCREEN_IN_PAGE = 0x071A, 0x071C
IN_MAZE = 0x0745
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
"""Player states in which the game moves Mario: vines, pipes, castle and area entrances."""
END_OF_WORLD = 2
NO_LIVES = 0xFF
BOWSER, FLAGPOLE = 0x2D, 0x31
STANDING, SLIDING_DOWN = 0, 3
POWERS = {0: "small", 1: "tall"}


class MarioRam:
    """Read the RAM of Super Mario Bros., and write it to skip waiting times.

    Args:
        ram: Live view of the console's RAM; its elements are Python ints.
    """

    def __init__(self, ram: memoryview) -> None:
        self._ram = ram

    @property
    def world(self) -> int:
        """World, 1 to 8."""
        return self._ram[WORLD] + 1

    @property
    def stage(self) -> int:
        """Stage of the world, 1 to 4."""
        return self._ram[STAGE] + 1

    @property
    def lives(self) -> int:
        """Remaining lives after the current one: 2, 1, 0, then 255."""
        return self._ram[LIVES]

    @property
    def time(self) -> int:
        """Remaining time, 0 to 999 ticks of 24 frames."""
        return self._number(TIME_DIGITS)

    @property
    def x(self) -> int:
        """Mario's distance from the left end of the level in pixels."""
        return self._ram[X_PAGE] * 256 + self._ram[X_IN_PAGE]

    @property
    def y(self) -> int:
        """Mario's height above the bottom of the screen in pixels."""
        height = 255 - self._ram[Y_IN_PAGE]
        return height + 255 if self._ram[Y_PAGE] == 0 else height

    @property
    def area(self) -> int:
        """Identifier of the current area: the address of its level data."""
        low, high = AREA_DATA
        return self._ram[low] + 256 * self._ram[high]

    @property
    def screen_x(self) -> int:
        """Distance of the screen's left edge from the left end of the area in pixels."""
        return self._ram[SCREEN_PAGE] * 256 + self._ram[SCREEN_IN_PAGE]

    @property
    def is_big(self) -> bool:
        """Whether Mario has eaten a mushroom or a fire flower."""
        return self._ram[POWER] > 0

    @property
    def is_standing(self) -> bool:
        """Whether Mario stands on something, rather than jumping, falling or climbing."""
        return self._ram[FLOAT_STATE] == STANDING

    @property
    def maze(self) -> tuple[bool, int, int]:
        """State of a castle's maze, which sends Mario back if he takes a wrong way.

        Whether a check is ahead, the number of its parts that Mario passed, and of all parts.
        """
        ram = self._ram
        return ram[IN_MAZE] > 0, ram[MAZE_CHECKS_PASSED], ram[MAZE_CHECKS]

    @property
    def dying(self) -> bool:
        """Whether Mario is losing a life, by touching an enemy or falling into a pit."""
        return self._ram[PLAYER_STATE] == DYING or self._ram[Y_PAGE] > 1

    @property
    def dead(self) -> bool:
        """Whether the death animation is over."""
        return self._ram[PLAYER_STATE] == DEAD

    @property
    def game_over(self) -> bool:
        """Whether the last life was lost."""
        return self._ram[LIVES] == NO_LIVES

    @property
    def busy(self) -> bool:
        """Whether the game moves Mario and ignores the buttons."""
        return self._ram[PLAYER_STATE] in BUSY

    @property
    def world_over(self) -> bool:
        """Whether Bowser is defeated and the final scene of the world is shown."""
        return self._ram[MODE] == END_OF_WORLD

    @property
    def flag_get(self) -> bool:
        """Whether the level was cleared."""
        return self.world_over or self._stage_over()

    def info(self) -> dict[str, int | bool | str]:
        """Return the ``info`` of gym-super-mario-bros 7.4.0."""
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
        """Select the level that the game loads next; all numbers count from 1."""
        self._ram[WORLD], self._ram[STAGE], self._ram[AREA] = world - 1, stage - 1, area - 1

    def skip_level_card(self) -> None:
        """Skip the black screen that shows the level and the remaining lives."""
        self._ram[LEVEL_CARD_TIMER] = 0

    def skip_area_change(self) -> None:
        """Skip the waiting time before the area changes, after a pipe or a flagpole."""
        if 1 < self._ram[AREA_CHANGE_TIMER] < 255:
            self._ram[AREA_CHANGE_TIMER] = 1

    def kill(self) -> None:
        """Skip the animation of Mario's death."""
        self._ram[PLAYER_STATE] = DEAD

    def _stage_over(self) -> bool:
        # Vines set the same float state, so a flagpole or Bowser must be present.
        ends = any(self._ram[address] in (BOWSER, FLAGPOLE) for address in ENEMY_TYPES)
        return ends and self._ram[FLOAT_STATE] == SLIDING_DOWN

    def _number(self, digits: range) -> int:
        value = 0
        for address in digits:
            value = value * 10 + self._ram[address]
        return value
