#include "cartridge.h"

#include <algorithm>
#include <utility>

namespace nes {
namespace {

constexpr std::size_t kProgramBank = 0x2000;
constexpr std::size_t kPictureBank = 0x400;
constexpr std::size_t kRam = 0x2000;

const std::uint8_t* bank(const std::vector<std::uint8_t>& memory, std::size_t size, int number) {
  const int count = static_cast<int>(memory.size() / size);
  const int wrapped = (number % count + count) % count;
  return memory.data() + static_cast<std::size_t>(wrapped) * size;
}

std::array<std::uint16_t, 4> names_of(Mirroring mirroring) {
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
      work_ram_(rom_.work_ram ? kRam : 0),
      picture_ram_(rom_.pictures.empty() ? kRam : 0) {
  power_on();
}

void Cartridge::power_on() {
  mapper_ = make_mapper(rom_);
  std::fill(work_ram_.begin(), work_ram_.end(), 0);
  std::fill(picture_ram_.begin(), picture_ram_.end(), 0);
  remap();
}

void Cartridge::write(std::uint16_t address, std::uint8_t value) {
  mapper_->write(address, value);
  remap();
}

void Cartridge::remap() {
  const Banks banks = mapper_->banks();
  const auto& pictures = rom_.pictures.empty() ? picture_ram_ : rom_.pictures;
  for (std::size_t i = 0; i < 4; ++i) {
    program_[i] = bank(rom_.program, kProgramBank, banks.program[i]);
  }
  for (std::size_t i = 0; i < 8; ++i) {
    pictures_[i] = bank(pictures, kPictureBank, banks.pictures[i]);
  }
  names_ = names_of(banks.mirroring);
}

}  // namespace nes
