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

// nes-py's: 89,343 dots, one or two more than the picture has, so the picture wanders.
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

  // Whether fields just read are possible ones; the banks follow them.
  bool follow() {
    if (!cpu.is_valid() || !ppu.is_valid() || !bus.apu().is_valid()) return false;
    cartridge.remap();
    bus.map();
    return true;
  }

  template <typename Archive>
  void fields(Archive& archive) {
    cpu.fields(archive);
    bus.fields(archive);
    ppu.fields(archive);
    cartridge.fields(archive);
  }

  Cartridge cartridge;
  Ppu ppu;
  Bus bus;
  Cpu cpu;
};

Console::Console(const std::vector<std::uint8_t>& rom) : parts_(std::make_unique<Parts>(rom)) {}
Console::~Console() = default;

void Console::power_on() { parts_->power_on(); }

void Console::advance(std::uint8_t buttons, bool drawn) {
  auto& [cartridge, ppu, bus, cpu] = *parts_;
  bus.hold(buttons);
  ppu.begin_frame(drawn);
  for (;;) {
    if (!cpu.is_masked() && bus.interrupts(cpu.now())) cpu.interrupt(bus, Cpu::kIrq);
    const int event = ppu.next_event();
    const int picture = event / kDotsPerCycle;
    const int sound = cpu.is_masked() ? Apu::kNever : bus.apu().next_interrupt();
    const int end = std::min({picture, sound, kFrameCycles});
    cpu.run(bus, end);
    if (cpu.now() < end) continue;
    if (end == kFrameCycles) break;
    if (end < picture) continue;
    ppu.run_to(event + 1);
    if (ppu.take_interrupt()) cpu.interrupt(bus, Cpu::kNmi);
  }
  bus.end_frame(kFrameCycles);
  cpu.end_frame(kFrameCycles);
}

std::uint8_t* Console::ram() { return parts_->bus.ram(); }

const std::uint8_t* Console::screen() const { return parts_->ppu.screen(); }

std::size_t Console::state_size() const {
  Measure measure;
  parts_->fields(measure);
  return sizeof kMagic + sizeof(std::uint64_t) + measure.size();
}

void Console::save_state(std::uint8_t* out) const {
  Writer writer(out);
  writer(kMagic);
  writer(parts_->cartridge.digest());
  parts_->fields(writer);
}

bool Console::load_state(const std::uint8_t* in, std::size_t size) {
  if (size != state_size()) return false;
  std::uint32_t magic = 0;
  std::uint64_t digest = 0;
  Reader reader(in);
  reader(magic), reader(digest);
  if (magic != kMagic || digest != parts_->cartridge.digest()) return false;
  std::vector<std::uint8_t> before(size);
  save_state(before.data());
  parts_->fields(reader);
  if (parts_->follow()) return true;
  load_state(before.data(), size);
  return false;
}

}  // namespace nes
