"""Build entry point; metadata is in setup.cfg, the native extensions here."""

from pathlib import Path

from setuptools import Extension, setup

CONSOLE, GAMES = Path("mario/emulators/native"), Path("mario/games/native")
LAYERS = Path("agents/compute/native")
BINDING = {CONSOLE / "c_api.cpp", CONSOLE / "module.cpp"}
"""What makes an extension of the console alone."""


def native(name: str, sources: set[Path]) -> Extension:
    """An extension of C++ code; installing works without, and nes-py and torch do its work."""
    headers = [*CONSOLE.glob("*.h"), *GAMES.glob("*.h"), *LAYERS.glob("*.h")]
    return Extension(
        name,
        sources=sorted(map(str, sources)),
        depends=sorted(map(str, headers)),
        language="c++",
        extra_compile_args=[
            "-O3",
            "-g0",
            "-std=c++17",
            "-fno-plt",
            "-fno-math-errno",
            "-fvisibility=hidden",
            "-pthread",
        ],
        extra_link_args=["-pthread"],
        optional=True,
    )


console, games = set(CONSOLE.glob("*.cpp")), set(GAMES.glob("*.cpp"))
setup(
    ext_modules=[
        native("mario.emulators.native._native", console),
        native("mario.games._native", games | console - BINDING),
        native("agents.compute._native", set(LAYERS.glob("*.cpp"))),
    ]
)
