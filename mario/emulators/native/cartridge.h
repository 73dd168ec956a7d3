// A cartridge: PRG and CHR memory, with the banks that the mapper selects.
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
  // Selects the mapper's banks. Must be called when the mapper's registers have changed.
  void update_banks();

  Mapper& mapper() { return *mapper_; }
  const Mapper& mapper() const { return *mapper_; }
  std::uint64_t digest() const { return rom_.digest; }

  // The 8 kB of work RAM at $6000, or null.
  std::uint8_t* work_ram() { return work_ram_.empty() ? nullptr : work_ram_.data(); }
  // The 8 kB bank at $8000 + 0x2000 * slot.
  const std::uint8_t* prg_bank(std::size_t slot) const { return prg_banks_[slot]; }

  // Pointer to a byte of CHR memory. The rest of its tile follows it.
  const std::uint8_t* chr(std::uint16_t address) const {
    return chr_banks_[static_cast<std::size_t>(address >> 10 & 7)] + (address & 0x3FF);
  }
  std::uint8_t read_chr(std::uint16_t address) const { return *chr(address); }
  void write_chr(std::uint16_t address, std::uint8_t value) {
    if (rom_.chr.empty()) chr_ram_[address & 0x1FFF] = value;
  }
  // Offset of a nametable in 4 kB of memory: 0, 0x400, 0x800 or 0xC00.
  std::uint16_t nametable(std::size_t table) const { return nametables_[table]; }

  template <typename Archive>
  void serialize(Archive& archive) {
    archive(mapper_->registers);
    archive.bytes(work_ram_.data(), work_ram_.size());
    archive.bytes(chr_ram_.data(), chr_ram_.size());
  }

 private:
  Rom rom_;
  std::unique_ptr<Mapper> mapper_;
  std::vector<std::uint8_t> work_ram_, chr_ram_;
  std::array<const std::uint8_t*, 4> prg_banks_{};
  std::array<const std::uint8_t*, 8> chr_banks_{};
  std::array<std::uint16_t, 4> nametables_{};
};

}  // namespace nes
