// Three visitors of an object's fields: how many bytes they take, to bytes, and from bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace nes {

class Measure {
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

class Writer {
 public:
  explicit Writer(std::uint8_t* out) : out_(out) {}
  template <typename T>
  void operator()(const T& value) {
    bytes(reinterpret_cast<const std::uint8_t*>(&value), sizeof(T));
  }
  void bytes(const std::uint8_t* from, std::size_t count) {
    if (count > 0) std::memcpy(out_, from, count);
    out_ += count;
  }

 private:
  std::uint8_t* out_;
};

class Reader {
 public:
  explicit Reader(const std::uint8_t* in) : in_(in) {}
  template <typename T>
  void operator()(T& value) {
    bytes(reinterpret_cast<std::uint8_t*>(&value), sizeof(T));
  }
  // A bool of any other value than 0 and 1 is undefined behaviour.
  void operator()(bool& value) { value = *in_++ != 0; }
  void bytes(std::uint8_t* to, std::size_t count) {
    if (count > 0) std::memcpy(to, in_, count);
    in_ += count;
  }

 private:
  const std::uint8_t* in_;
};

}  // namespace nes
