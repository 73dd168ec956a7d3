// A game's memory, as the console sees it through the cartridge's circuit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "mapper.h"
#include "rom.h"

namespace nes {

class Cartridge {
 public:
  explicit Cartridge(Rom rom);

  void power_on();
  void write(std::uint16_t address, std::uint8_t value);
  // Follows the mapper's banks; to be called when its registers have changed.
  void remap();

  Mapper& mapper() { return *mapper_; }
  const Mapper& mapper() const { return *mapper_; }
  std::uint64_t digest() const { return rom_.digest; }

  // 8 kB at $6000, or null.
  std::uint8_t* work_ram() { return work_ram_.empty() ? nullptr : work_ram_.data(); }
  const std::uint8_t* program(std::size_t slot) const { return program_[slot]; }

  // A byte of the patterns, and behind it the rest of its pattern.
  const std::uint8_t* picture_at(std::uint16_t address) const {
    return pictures_[static_cast<std::size_t>(address >> 10 & 7)] + (address & 0x3FF);
  }
  std::uint8_t picture(std::uint16_t address) const { return *picture_at(address); }
  void write_picture(std::uint16_t address, std::uint8_t value) {
    if (rom_.pictures.empty()) picture_ram_[address & 0x1FFF] = value;
  }
  // Where in 4 kB of memory a table of names lies: 0, 0x400, 0x800 or 0xC00.
  std::uint16_t names(std::size_t table) const { return names_[table]; }

  template <typename Archive>
  void fields(Archive& archive) {
    archive(mapper_->registers);
    archive.bytes(work_ram_.data(), work_ram_.size());
    archive.bytes(picture_ram_.data(), picture_ram_.size());
  }

 private:
  Rom rom_;
  std::unique_ptr<Mapper> mapper_;
  std::vector<std::uint8_t> work_ram_, picture_ram_;
  std::array<const std::uint8_t*, 4> program_{};
  std::array<const std::uint8_t*, 8> pictures_{};
  std::array<std::uint16_t, 4> names_{};
};

}  // namespace nes
