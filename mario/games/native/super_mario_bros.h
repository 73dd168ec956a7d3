// Super Mario Bros.: mario/games/super_mario_bros.py and smb_ram.py, rule by rule, see there.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "nes_game.h"

namespace nes {

// Reads the memory of Super Mario Bros., and makes the few changes that save waiting.
class MarioRam {
 public:
  explicit MarioRam(std::uint8_t* ram) : ram_(ram) {}

  int world() const { return ram_[0x075F] + 1; }
  int stage() const { return ram_[0x075C] + 1; }
  int lives() const { return ram_[0x075A]; }
  int time() const { return number(0x07F8, 3); }
  int coins() const { return number(0x07ED, 2); }
  int score() const { return number(0x07DE, 6); }
  int status() const;  // index of kMarioPowers
  int x() const { return ram_[0x006D] * 256 + ram_[0x0086]; }
  int y() const;
  int area() const { return ram_[0x00E7] + 256 * ram_[0x00E8]; }
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
using Place = std::array<int, 3>;

class SuperMarioBros : public NesGame {
 public:
  // What the fields of info() are, and what the numbers in them and in why_ended() stand for.
  static const std::vector<const char*> kInfo, kStatuses, kEndings;

  // `target`: the level to play; none for the whole game.
  SuperMarioBros(const std::vector<std::uint8_t>& rom, std::optional<Place> target,
                 int stall_frames);

  bool lost() const override;

 protected:
  void start() override;  // throws std::invalid_argument for a ROM of another game
  void began() override;
  double reward() override;
  std::int64_t ending() override;
  std::vector<std::int64_t> read_info() override;
  std::int64_t progress() override;
  void cut_scenes() override;

 private:
  void press_start();
  void enter_level();
  bool before_tick();
  void rest();
  void explore();
  Place here() const { return {mario_.world(), mario_.stage(), mario_.lives()}; }

  MarioRam mario_;
  std::optional<Place> target_;
  int time_ = 0, x_ = 0, best_x_ = 0;
  Place place_{};
  std::int64_t places_ = 0;
};

}  // namespace nes
