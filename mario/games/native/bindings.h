// The parts of the Python module mario.games._native that have files of their own.
#pragma once

#include <nanobind/nanobind.h>

// GameState and MarioGame.
void bind_game(nanobind::module_& module);

// EnvConfig.
void bind_env_config(nanobind::module_& module);

// SaveStateEnv and RunnerState.
void bind_save_state_env(nanobind::module_& module);

// MarioExplorer and MarioPlayTester.
void bind_search(nanobind::module_& module);
