// The parts of the Python module mario.games._native that have files of their own.
#pragma once

#include <nanobind/nanobind.h>

// GameState and MarioGame.
void bind_game(nanobind::module_& module);
