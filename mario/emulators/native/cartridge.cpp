#include "cartridge.h"

#include <algorithm>
#include <utility>

namespace nes {
namespace {

constexpr std::size_t kPrgBank = 0x2000;
constexpr std::size_t kChrBank = 0x400;
constexpr std::size_t kBankRam = 0x2000;

const std::uint8_t* bank(const std::vector<std::uint8_t>& memory, std::size_t size, int number) {
  const int count = static_cast<int>(memory.size() / size);
  const int wrapped = (number % count + count) % count;
  return memory.data() + static_cast<std::size_t>(wrapped) * size;
}

std::array<std::uint16_t, 4> nametable_offsets(Mirroring mirroring) {
  switch (mirroring) {
    case Mirroring::kVertical: return {0, 0x400, 0, 0x400};
    case Mirroring::kLower: return {0, 0, 0, 0};
    case Mirroring::kUpper: return {0x400, 0x400, 0x400, 0x400};
    case Mirroring::kFourScreens: return {0, 0x400, 0x800, 0xC00};
    default: return {0, 0, 0x400, 0x400};
  }
}

}  // namespace

Cartridge::Cartridge(Rom rom)
    : rom_(std::move(rom)),
      work_ram_(rom_.work_ram ? kBankRam : 0),
      chr_ram_(rom_.chr.empty() ? kBankRam : 0) {
  power_on();
}

void Cartridge::power_on() {
  mapper_ = make_mapper(rom_);
  std::fill(work_ram_.begin(), work_ram_.end(), 0);
  std::fill(chr_ram_.begin(), chr_ram_.end(), 0);
  update_banks();
}

void Cartridge::write(std::uint16_t address, std::uint8_t value) {
  mapper_->write(address, value);
  update_banks();
}

void Cartridge::update_banks() {
  const Banks banks = mapper_->banks();
  const auto& chr = rom_.chr.empty() ? chr_ram_ : rom_.chr;
  for (std::size_t i = 0; i < 4; ++i) {
    prg_banks_[i] = bank(rom_.prg, kPrgBank, banks.prg[i]);
  }
  for (std::size_t i = 0; i < 8; ++i) {
    chr_banks_[i] = bank(chr, kChrBank, banks.chr[i]);
  }
  nametables_ = nametable_offsets(banks.mirroring);
}

}  // namespace nes
