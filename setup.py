"""Build entry point; metadata is in setup.cfg, the native extension here."""

from pathlib import Path

from setuptools import Extension, setup

NATIVE = Path("mario/emulators/native")

setup(
    ext_modules=[
        Extension(
            "mario.emulators.native._native",
            sources=sorted(str(path) for path in NATIVE.glob("*.cpp")),
            depends=sorted(str(path) for path in NATIVE.glob("*.h")),
            language="c++",
            extra_compile_args=["-O3", "-g0", "-std=c++17", "-fno-plt", "-fvisibility=hidden"],
            # Where there is no compiler, nes-py does the work.
            optional=True,
        )
    ]
)
