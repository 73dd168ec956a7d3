// The console as C functions, which Python calls through ctypes.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <vector>

#include "console.h"

#if defined(_WIN32)
#define NES_EXPORT extern "C" __declspec(dllexport)
#else
#define NES_EXPORT extern "C" __attribute__((visibility("default")))
#endif

using nes::Console;

// Returns null and a message in `error` if the ROM cannot be played.
NES_EXPORT Console* nes_open(const std::uint8_t* rom, std::size_t size, char* error,
                             std::size_t error_size) {
  try {
    return new Console(std::vector<std::uint8_t>(rom, rom + size));
  } catch (const std::exception& exception) {
    std::snprintf(error, error_size, "%s", exception.what());
    return nullptr;
  }
}

NES_EXPORT void nes_close(Console* console) { delete console; }

NES_EXPORT void nes_power_on(Console* console) { console->power_on(); }

NES_EXPORT void nes_advance(Console* console, std::uint8_t buttons, int render) {
  console->advance(buttons, render != 0);
}

NES_EXPORT std::uint8_t* nes_ram(Console* console) { return console->ram(); }

NES_EXPORT const std::uint8_t* nes_screen(Console* console) { return console->screen(); }

NES_EXPORT const std::uint8_t* nes_palette() { return nes::kPalette[0]; }

NES_EXPORT std::size_t nes_state_size(Console* console, int with_screen) {
  return console->state_size(with_screen != 0);
}

NES_EXPORT void nes_save_state(Console* console, std::uint8_t* out, int with_screen) {
  console->save_state(out, with_screen != 0);
}

NES_EXPORT int nes_load_state(Console* console, const std::uint8_t* in, std::size_t size) {
  return console->load_state(in, size);
}
