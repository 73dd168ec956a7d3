"""The random numbers of the search, which are the same in Python and in compiled code."""

from __future__ import annotations

INCREMENT = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


def mix(value: int) -> int:
    """Map a number to a 64-bit number that looks random: the finalizer of SplitMix64."""
    value &= MASK
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & MASK
    return value ^ value >> 31


class SplitMix64:
    """The SplitMix64 generator (Steele et al., Fast splittable pseudorandom generators, 2014).

    Args:
        seed: A 64-bit number.

    >>> SplitMix64(0).next() == 0xE220A8397B1DCDAF
    True
    """

    def __init__(self, seed: int) -> None:
        self._state = seed & MASK

    def next(self) -> int:
        """Return a number in 0 to 2**64 - 1."""
        self._state = (self._state + INCREMENT) & MASK
        return mix(self._state)

    def below(self, count: int) -> int:
        """Return a number in 0 to ``count - 1``; ``count`` must be below 2**32."""
        return (self.next() >> 32) * count >> 32
