// Three archives for save states: one counts bytes, one writes fields, one reads them.
//
// A class with state has `template <typename Archive> void serialize(Archive&)`, which passes every
// field to the archive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace nes {

class SizeArchive {
 public:
  template <typename T>
  void operator()(const T&) {
    static_assert(std::is_trivially_copyable_v<T>);
    size_ += sizeof(T);
  }
  void bytes(const std::uint8_t*, std::size_t count) { size_ += count; }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

class WriteArchive {
 public:
  explicit WriteArchive(std::uint8_t* out) : out_(out) {}
  template <typename T>
  void operator()(const T& value) {
    bytes(reinterpret_cast<const std::uint8_t*>(&value), sizeof(T));
  }
  void bytes(const std::uint8_t* in, std::size_t count) {
    if (count > 0) std::memcpy(out_, in, count);
    out_ += count;
  }

 private:
  std::uint8_t* out_;
};

class ReadArchive {
 public:
  explicit ReadArchive(const std::uint8_t* in) : in_(in) {}
  template <typename T>
  void operator()(T& value) {
    bytes(reinterpret_cast<std::uint8_t*>(&value), sizeof(T));
  }
  // A bool with a value other than 0 or 1 is undefined behavior.
  void operator()(bool& value) { value = *in_++ != 0; }
  void bytes(std::uint8_t* out, std::size_t count) {
    if (count > 0) std::memcpy(out, in_, count);
    in_ += count;
  }

 private:
  const std::uint8_t* in_;
};

}  // namespace nes
