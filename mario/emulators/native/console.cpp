#include "console.h"

#include <algorithm>
#include <cstring>

#include "archive.h"
#include "bus.h"
#include "cartridge.h"
#include "cpu.h"
#include "ppu.h"
#include "rom.h"

namespace nes {
namespace {

// As in nes-py: 89,343 dots, one or two more than the PPU's frame, so the frame boundary drifts.
constexpr int kFrameCycles = 29781;
constexpr int kDotsPerCycle = 3;
constexpr std::uint32_t kMagic = 0x3153454E;  // "NES1"

}  // namespace

struct Console::Parts {
  explicit Parts(const std::vector<std::uint8_t>& rom)
      : cartridge(read_rom(rom)), ppu(cartridge), bus(cartridge, ppu) {
    cpu.power_on(bus);
  }

  void power_on() {
    cartridge.power_on();
    ppu.power_on();
    bus.power_on();
    cpu = Cpu();
    cpu.power_on(bus);
  }

  // Checks fields that were just loaded, and selects the banks. Returns whether they are valid.
  bool finish_load(bool with_screen) {
    if (!cpu.is_valid() || !ppu.is_valid() || !bus.apu().is_valid()) return false;
    if (with_screen && !ppu.is_screen_valid()) return false;
    cartridge.update_banks();
    bus.update_pages();
    return true;
  }

  template <typename Archive>
  void serialize(Archive& archive, bool with_screen) {
    cpu.serialize(archive);
    bus.serialize(archive);
    ppu.serialize(archive);
    cartridge.serialize(archive);
    if (with_screen) ppu.serialize_screen(archive);
  }

  Cartridge cartridge;
  Ppu ppu;
  Bus bus;
  Cpu cpu;
};

Console::Console(const std::vector<std::uint8_t>& rom) : parts_(std::make_unique<Parts>(rom)) {}
Console::~Console() = default;

void Console::power_on() { parts_->power_on(); }

void Console::advance(std::uint8_t buttons, bool render) {
  auto& [cartridge, ppu, bus, cpu] = *parts_;
  bus.hold_buttons(buttons);
  ppu.begin_frame(render);
  for (;;) {
    if (!cpu.irq_disabled() && bus.irq_pending(cpu.now())) cpu.interrupt(bus, Cpu::kIrq);
    const int ppu_event = ppu.next_event();
    const int ppu_cycle = ppu_event / kDotsPerCycle;
    const int apu_cycle = cpu.irq_disabled() ? Apu::kNever : bus.apu().next_irq();
    const int end = std::min({ppu_cycle, apu_cycle, kFrameCycles});
    cpu.run(bus, end);
    if (cpu.now() < end) continue;
    if (end == kFrameCycles) break;
    if (end < ppu_cycle) continue;
    ppu.run_to(ppu_event + 1);
    if (ppu.take_nmi()) cpu.interrupt(bus, Cpu::kNmi);
  }
  bus.end_frame(kFrameCycles);
  cpu.end_frame(kFrameCycles);
}

std::uint8_t* Console::ram() { return parts_->bus.ram(); }

const std::uint8_t* Console::screen() const { return parts_->ppu.screen(); }

std::size_t Console::state_size(bool with_screen) const {
  SizeArchive archive;
  parts_->serialize(archive, with_screen);
  return sizeof kMagic + sizeof(std::uint64_t) + archive.size();
}

void Console::save_state(std::uint8_t* out, bool with_screen) const {
  WriteArchive archive(out);
  archive(kMagic);
  archive(parts_->cartridge.digest());
  parts_->serialize(archive, with_screen);
}

bool Console::load_state(const std::uint8_t* in, std::size_t size) {
  const bool with_screen = size == state_size(true);
  if (!with_screen && size != state_size(false)) return false;
  std::uint32_t magic = 0;
  std::uint64_t digest = 0;
  ReadArchive archive(in);
  archive(magic), archive(digest);
  if (magic != kMagic || digest != parts_->cartridge.digest()) return false;
  std::vector<std::uint8_t> before(size);
  save_state(before.data(), with_screen);
  parts_->serialize(archive, with_screen);
  if (parts_->finish_load(with_screen)) return true;
  load_state(before.data(), size);
  return false;
}

}  // namespace nes
