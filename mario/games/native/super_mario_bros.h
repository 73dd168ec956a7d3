// Super Mario Bros., as in mario/games/super_mario_bros.py and smb_ram.py.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "nes_game.h"

namespace nes {

// Reads the RAM of Super Mario Bros., and writes it to skip waiting times. The addresses are
// explained in smb_ram.py.
class MarioRam {
 public:
  explicit MarioRam(std::uint8_t* ram) : ram_(ram) {}

  int world() const { return ram_[0x075F] + 1; }
  int stage() const { return ram_[0x075C] + 1; }
  int lives() const { return ram_[0x075A]; }
  int time() const { return number(0x07F8, 3); }
  int coins() const { return number(0x07ED, 2); }
  int score() const { return number(0x07DE, 6); }
  int status() const;  // index into SuperMarioBros::kStatuses
  int x() const { return ram_[0x006D] * 256 + ram_[0x0086]; }
  int y() const;
  int area() const { return ram_[0x00E7] + 256 * ram_[0x00E8]; }
  bool is_standing() const { return ram_[0x001D] == 0; }
  bool in_maze() const { return ram_[0x0745] != 0; }
  int maze_checks_passed() const { return ram_[0x06D9]; }
  int maze_checks() const { return ram_[0x06DA]; }
  bool dying() const { return ram_[0x000E] == 0x0B || ram_[0x00B5] > 1; }
  bool dead() const { return ram_[0x000E] == 0x06; }
  bool game_over() const { return ram_[0x075A] == 0xFF; }
  bool busy() const { return ram_[0x000E] <= 0x05 || ram_[0x000E] == 0x07; }
  bool world_over() const { return ram_[0x0770] == 2; }
  bool flag_get() const { return world_over() || stage_over(); }

  void choose_level(int world, int stage, int area);
  void skip_level_card() { ram_[0x07A0] = 0; }
  void skip_area_change();
  void kill() { ram_[0x000E] = 0x06; }

 private:
  bool stage_over() const;
  int number(int address, int digits) const;

  std::uint8_t* ram_;
};

// World, stage and area of a level, each counted from 1.
using Level = std::array<int, 3>;

class SuperMarioBros : public NesGame {
 public:
  // Names of the elements of info(), and of the values of `status` and of ending().
  static const std::vector<const char*> kInfoKeys, kStatuses, kEndings;

  // `level`: the level to play, or none for the whole game.
  SuperMarioBros(const std::vector<std::uint8_t>& rom, std::optional<Level> level,
                 std::optional<int> stall_frames);

  bool failed() const override;
  std::int64_t cell() override;
  std::int64_t progress() override;

 protected:
  void start_game() override;  // throws std::invalid_argument for a ROM of another game
  void on_episode_start() override;
  double reward() override;
  std::int64_t read_ending() override;
  std::vector<std::int64_t> read_info() override;
  void skip_cutscenes() override;
  Memory episode_fields() override { return memory_of(episode_); }

 private:
  // World, stage and remaining lives: one life in one level.
  using Life = std::array<int, 3>;

  struct Episode {
    int time = 0, x = 0, best_x = 0;
    Life life{};
    std::int64_t num_lives_and_levels = 0;
  };

  void press_start();
  void enter_level();
  bool clock_stands_still();
  void update_best_x();
  Life current_life() const { return {mario_.world(), mario_.stage(), mario_.lives()}; }

  MarioRam mario_;
  std::optional<Level> level_;
  Episode episode_;
};

}  // namespace nes
