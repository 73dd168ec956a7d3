#include "mapper.h"

#include <cstddef>

namespace nes {
namespace {

constexpr std::array<int, 8> kFirstChrBanks = {0, 1, 2, 3, 4, 5, 6, 7};

std::array<int, 8> chr_banks_of_4k(int low, int high) {
  std::array<int, 8> banks{};
  for (int i = 0; i < 4; ++i) {
    banks[static_cast<std::size_t>(i)] = 4 * low + i;
    banks[static_cast<std::size_t>(i + 4)] = 4 * high + i;
  }
  return banks;
}

std::array<int, 4> prg_banks_of_16k(int low, int high) {
  return {2 * low, 2 * low + 1, 2 * high, 2 * high + 1};
}

// https://www.nesdev.org/wiki/NROM
class Nrom final : public Mapper {
 public:
  explicit Nrom(const Rom& rom) : mirroring_(rom.mirroring) {}
  void write(std::uint16_t, std::uint8_t) override {}
  Banks banks() const override { return {{0, 1, 2, 3}, kFirstChrBanks, mirroring_}; }

 private:
  Mirroring mirroring_;
};

// https://www.nesdev.org/wiki/MMC1
class Mmc1 final : public Mapper {
 public:
  Mmc1() {
    control() = 0x0F;  // the last bank at $C000, and nes-py's initial mirroring
  }

  void write(std::uint16_t address, std::uint8_t value) override {
    if (value & 0x80) {
      shift_register() = write_count() = 0;
      control() |= 0x0C;
      return;
    }
    shift_register() = static_cast<std::uint8_t>((shift_register() & 0x1F) >> 1 | (value & 1) << 4);
    if (++write_count() < 5) return;
    registers[static_cast<std::size_t>(address >> 13 & 3)] = shift_register();
    shift_register() = write_count() = 0;
  }

  Banks banks() const override {
    const int control = registers[0], low = registers[1], high = registers[2];
    const int prg = registers[3] & 0x0F;
    Banks banks{};
    banks.chr = control & 0x10 ? chr_banks_of_4k(low, high) : chr_banks_of_4k(low & ~1, low | 1);
    switch (control >> 2 & 3) {
      case 2: banks.prg = prg_banks_of_16k(0, prg); break;
      case 3: banks.prg = prg_banks_of_16k(prg, -1); break;
      default: banks.prg = prg_banks_of_16k(prg & ~1, prg | 1);
    }
    static constexpr Mirroring kMirrorings[] = {Mirroring::kLower, Mirroring::kUpper,
                                                Mirroring::kVertical, Mirroring::kHorizontal};
    banks.mirroring = kMirrorings[control & 3];
    return banks;
  }

 private:
  std::uint8_t& control() { return registers[0]; }
  std::uint8_t& shift_register() { return registers[4]; }
  std::uint8_t& write_count() { return registers[5]; }
};

// https://www.nesdev.org/wiki/UxROM
class Uxrom final : public Mapper {
 public:
  explicit Uxrom(const Rom& rom) : mirroring_(rom.mirroring) {}
  void write(std::uint16_t, std::uint8_t value) override { registers[0] = value; }
  Banks banks() const override {
    return {prg_banks_of_16k(registers[0], -1), kFirstChrBanks, mirroring_};
  }

 private:
  Mirroring mirroring_;
};

// https://www.nesdev.org/wiki/INES_Mapper_003
class Cnrom final : public Mapper {
 public:
  explicit Cnrom(const Rom& rom) : mirroring_(rom.mirroring) {}
  void write(std::uint16_t, std::uint8_t value) override { registers[0] = value & 3; }
  Banks banks() const override {
    return {{0, 1, 2, 3}, chr_banks_of_4k(2 * registers[0], 2 * registers[0] + 1), mirroring_};
  }

 private:
  Mirroring mirroring_;
};

// https://www.nesdev.org/wiki/MMC3
class Mmc3 final : public Mapper {
 public:
  explicit Mmc3(const Rom& rom) : four_screens_(rom.mirroring == Mirroring::kFourScreens) {
    registers[kMirroring] = rom.mirroring == Mirroring::kHorizontal;
    registers[7] = 1;
  }

  void write(std::uint16_t address, std::uint8_t value) override {
    switch (address & 0xE001) {
      case 0x8000: registers[kSelect] = value; break;
      case 0x8001: registers[static_cast<std::size_t>(registers[kSelect] & 7)] = value; break;
      case 0xA000: registers[kMirroring] = value & 1; break;
      case 0xC000: registers[kLatch] = value; break;
      case 0xC001: registers[kCounter] = 0; registers[kReload] = 1; break;
      case 0xE000: registers[kEnabled] = registers[kPending] = 0; break;
      case 0xE001: registers[kEnabled] = 1; break;
      default: break;
    }
  }

  Banks banks() const override {
    Banks banks{};
    const int select = registers[kSelect];
    banks.prg = {registers[6], registers[7], -2, -1};
    if (select & 0x40) std::swap(banks.prg[0], banks.prg[2]);
    const std::size_t half = select & 0x80 ? 4 : 0;
    for (std::size_t i = 0; i < 2; ++i) {
      banks.chr[half ^ (2 * i)] = registers[i] & ~1;
      banks.chr[half ^ (2 * i + 1)] = registers[i] | 1;
    }
    for (std::size_t i = 0; i < 4; ++i) banks.chr[half ^ (4 + i)] = registers[2 + i];
    banks.mirroring = four_screens_            ? Mirroring::kFourScreens
                      : registers[kMirroring] ? Mirroring::kHorizontal
                                              : Mirroring::kVertical;
    return banks;
  }

  void clock_counter() override {
    std::uint8_t& counter = registers[kCounter];
    if (counter == 0 || registers[kReload]) {
      counter = registers[kLatch];
      registers[kReload] = 0;
    } else {
      --counter;
    }
    if (counter == 0 && registers[kEnabled]) registers[kPending] = 1;
  }
  bool counts_scanlines() const override { return true; }
  bool irq_pending() const override { return registers[kPending] != 0; }

 private:
  enum : std::size_t { kSelect = 8, kMirroring, kLatch, kCounter, kReload, kEnabled, kPending };
  bool four_screens_;
};

}  // namespace

std::unique_ptr<Mapper> make_mapper(const Rom& rom) {
  switch (rom.mapper) {
    case 1: return std::make_unique<Mmc1>();
    case 2: return std::make_unique<Uxrom>(rom);
    case 3: return std::make_unique<Cnrom>(rom);
    case 4: return std::make_unique<Mmc3>(rom);
    default: return std::make_unique<Nrom>(rom);
  }
}

}  // namespace nes
