// NumPy arrays that compiled code reads and writes.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace nes_python {

namespace nb = nanobind;

template <typename... Args>
std::string format(const char* text, Args&&... args) {
  return nb::str(text).format(std::forward<Args>(args)...).c_str();
}

template <typename T>
std::string dtype_name() {
  using Value = std::remove_const_t<T>;
  if (std::is_same_v<Value, bool>) return "bool";
  const char* kind = std::is_floating_point_v<Value> ? "float"
                     : std::is_unsigned_v<Value>     ? "uint"
                                                     : "int";
  return kind + std::to_string(8 * sizeof(T));
}

// Arrays that are kept alive until clear().
class Arrays {
 public:
  // Returns an array's memory. T is const if the array is only read. Raises TypeError or ValueError
  // if the object is not a C-contiguous array of `size` elements of type T.
  template <typename T>
  T* add(const char* name, nb::handle object, std::size_t size) {
    nb::ndarray<T, nb::c_contig, nb::device::cpu> array;
    if (!nb::try_cast(object, array, false)) {
      const char* access = std::is_const_v<T> ? "" : " writable,";
      const std::string message = format("{} must be a{} C-contiguous array of {}", name, access,
                                         dtype_name<T>().c_str());
      throw nb::type_error(message.c_str());
    }
    if (array.size() != size) {
      throw std::invalid_argument(
          format("{} must have {} elements, got {}", name, size, array.size()));
    }
    arrays_.emplace_back(array);
    return array.data();
  }

  void clear() { arrays_.clear(); }

 private:
  std::vector<nb::ndarray<>> arrays_;
};

}  // namespace nes_python
