"""Build entry point; metadata is in setup.cfg, the native extensions here."""

import platform
from collections.abc import Sequence
from pathlib import Path

import nanobind
from setuptools import Extension, setup

CONSOLE, GAMES = Path("mario/emulators/native"), Path("mario/games/native")
LAYERS = Path("agents/compute/native")
CONSOLE_BINDING = {CONSOLE / "c_api.cpp", CONSOLE / "module.cpp"}
NANOBIND = Path(nanobind.source_dir())
NANOBIND_INCLUDES = [
    nanobind.include_dir(),
    str(NANOBIND),
    str(NANOBIND.parent / "ext" / "robin_map" / "include"),
]


# Visual C++ has other names for the same options; it exports nothing by default.
MSVC = platform.system() == "Windows"
COMPILE_ARGS = (
    ["/O2", "/std:c++17", "/EHsc"]
    if MSVC
    else [
        "-O3",
        "-g0",
        "-std=c++17",
        "-fno-plt",
        "-fno-math-errno",
        "-fvisibility=hidden",
        "-pthread",
    ]
)
NANOBIND_ARGS = ["-DNDEBUG", "-DNB_COMPACT_ASSERTIONS", "-fno-strict-aliasing"]
LINK_ARGS = [] if MSVC else ["-pthread"]


def native(name: str, sources: set[Path], *options: str, includes: Sequence[str] = ()) -> Extension:
    """Return an optional extension: without a compiler, nes-py and torch do its work."""
    headers = [header for folder in (CONSOLE, GAMES, LAYERS) for header in folder.glob("*.h")]
    return Extension(
        name,
        sources=sorted(map(str, sources)),
        depends=sorted(map(str, headers)),
        include_dirs=list(includes),
        language="c++",
        extra_compile_args=[*COMPILE_ARGS, *options],
        extra_link_args=LINK_ARGS,
        optional=True,
    )


console, games = set(CONSOLE.glob("*.cpp")), set(GAMES.glob("*.cpp"))
setup(
    ext_modules=[
        native("mario.emulators.native._native", console),
        native(
            "mario.games._native",
            games | console - CONSOLE_BINDING,
            *(["/DNDEBUG", "/DNB_COMPACT_ASSERTIONS"] if MSVC else NANOBIND_ARGS),
            includes=NANOBIND_INCLUDES,
        ),
        native("agents.compute._native", set(LAYERS.glob("*.cpp"))),
    ]
)
