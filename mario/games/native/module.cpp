// The Python module mario.games._native: the class Games and the constants that explain its output.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "games.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using ActionLists = std::vector<nes::Actions>;

// NumPy's name of a type.
template <typename T>
std::string dtype_name() {
  using Value = std::remove_const_t<T>;
  if (std::is_same_v<Value, bool>) return "bool";
  const char* kind = std::is_floating_point_v<Value> ? "float"
                     : std::is_unsigned_v<Value>     ? "uint"
                                                     : "int";
  return kind + std::to_string(8 * sizeof(T));
}

// NumPy arrays that compiled code reads and writes, kept alive until they are cleared.
class Buffers {
 public:
  // Returns the array's memory. T is const if the array is only read. Raises TypeError or
  // ValueError if it is not an array of T, C-contiguous, of this size.
  template <typename T>
  T* add(const char* name, nb::handle object, std::size_t size) {
    nb::ndarray<T, nb::c_contig, nb::device::cpu> array;
    if (!nb::try_cast(object, array, false)) {
      const char* access = std::is_const_v<T> ? "" : " writable,";
      throw nb::type_error(nb::str("{} must be a{} C-contiguous array of {}")
                               .format(name, access, dtype_name<T>().c_str())
                               .c_str());
    }
    if (array.size() != size) {
      throw nb::value_error(
          nb::str("{} must have {} elements, got {}").format(name, size, array.size()).c_str());
    }
    arrays_.emplace_back(array);
    return array.data();
  }

  void clear() { arrays_.clear(); }

 private:
  std::vector<nb::ndarray<>> arrays_;
};

// The arrays of one step, in the order in which Python passes them.
nes::Rows read_rows(const nes::Games& games, const nb::tuple& arrays, Buffers& buffers) {
  constexpr std::size_t kArrays = 14;
  if (arrays.size() != kArrays) {
    throw nb::value_error(
        nb::str("a step has {} arrays, got {}").format(kArrays, arrays.size()).c_str());
  }
  const std::size_t n = games.count(), pixels = n * games.observation_bytes();
  const std::size_t fields = n * nes::Games::info_names().size();
  return {buffers.add<const std::int64_t>("actions", arrays[0], n),
          buffers.add<const std::int64_t>("noops", arrays[1], n),
          buffers.add<const std::uint64_t>("seeds", arrays[2], n),
          buffers.add<const std::int64_t>("backs", arrays[3], n),
          buffers.add<std::uint8_t>("observations", arrays[4], pixels),
          buffers.add<double>("rewards", arrays[5], n),
          buffers.add<bool>("terminated", arrays[6], n),
          buffers.add<bool>("truncated", arrays[7], n),
          buffers.add<std::int64_t>("info", arrays[8], fields),
          buffers.add<std::uint8_t>("last_observations", arrays[9], pixels),
          buffers.add<std::int64_t>("last_info", arrays[10], fields),
          buffers.add<std::int64_t>("last_endings", arrays[11], n),
          buffers.add<double>("last_returns", arrays[12], n),
          buffers.add<std::int64_t>("last_lengths", arrays[13], n)};
}

// What Python sees as Games. The GIL is released while games run.
class PyGames {
 public:
  PyGames(const nb::bytes& rom, nes::Place place, int stall_frames, const nb::bytes& masks,
          int skip, int stack, int size, int crop, const nb::bytes& grays, int square,
          double sticky, bool keeps_farthest, int count, int threads) {
    nes::GrayPalette gray_palette;
    if (grays.size() != gray_palette.size()) {
      throw nb::value_error("grays must be a byte for each color of the palette");
    }
    std::copy_n(static_cast<const std::uint8_t*>(grays.data()), grays.size(),
                gray_palette.begin());
    games_ = std::make_unique<nes::Games>(
        nes::Setup{bytes(rom), place[0] > 0 ? std::optional(place) : std::nullopt, stall_frames,
                   bytes(masks),
                   {skip, stack, square, sticky, keeps_farthest,
                    nes::Preprocess(size, crop, gray_palette)}},
        count, threads);
  }

  ~PyGames() {
    const nb::gil_scoped_release release;
    games_.reset();
  }

  void start(const nb::tuple& arrays, bool waited_for) {
    wait();
    Buffers buffers;
    const nes::Rows rows = read_rows(*games_, arrays, buffers);
    games_->start_step(rows, waited_for);
    buffers_ = std::move(buffers);
  }

  void wait() {
    {
      const nb::gil_scoped_release release;
      games_->wait();
    }
    buffers_.clear();
  }

  void restore(ActionLists actions, nb::handle noops, nb::handle seeds, nb::handle revisited,
               ActionLists farthest, nb::handle farthest_noops, nb::handle farthest_seeds,
               nb::handle observations, nb::handle info) {
    const std::size_t n = games_->count();
    if (actions.size() != n || farthest.size() != n) {
      throw nb::value_error(nb::str("there are {} games, got the actions of {}")
                                .format(n, std::min(actions.size(), farthest.size()))
                                .c_str());
    }
    Buffers buffers;
    const auto* noop = buffers.add<const std::int64_t>("noops", noops, n);
    const auto* seed = buffers.add<const std::uint64_t>("seeds", seeds, n);
    const auto* before = buffers.add<const std::int64_t>("revisited", revisited, n);
    const auto* far_noop = buffers.add<const std::int64_t>("farthest_noops", farthest_noops, n);
    const auto* far_seed = buffers.add<const std::uint64_t>("farthest_seeds", farthest_seeds, n);
    std::vector<nes::Entry> entries;
    for (std::size_t i = 0; i < n; ++i) {
      entries.push_back({{{noop[i], seed[i]}, std::move(actions[i])},
                         before[i],
                         {{far_noop[i], far_seed[i]}, std::move(farthest[i])}});
    }
    auto* pixels =
        buffers.add<std::uint8_t>("observations", observations, n * games_->observation_bytes());
    auto* fields =
        buffers.add<std::int64_t>("info", info, n * nes::Games::info_names().size());
    const nb::gil_scoped_release release;
    games_->restore(entries, pixels, fields);
  }

  // For each game, its actions and those of its farthest way.
  std::vector<std::pair<nes::Actions, std::optional<nes::Actions>>> actions() {
    const nb::gil_scoped_release release;
    games_->wait();
    std::vector<std::pair<nes::Actions, std::optional<nes::Actions>>> pairs;
    for (int game = 0; game < games_->count(); ++game) {
      const nes::Player& player = games_->player(game);
      const auto& way = player.farthest();
      pairs.emplace_back(player.actions(),
                         way ? std::optional(way->actions) : std::nullopt);
    }
    return pairs;
  }

 private:
  static std::vector<std::uint8_t> bytes(const nb::bytes& object) {
    const auto* first = static_cast<const std::uint8_t*>(object.data());
    return {first, first + object.size()};
  }

  Buffers buffers_;  // of the step under way
  std::unique_ptr<nes::Games> games_;
};

nb::tuple names(const std::vector<const char*>& texts) { return nb::tuple(nb::cast(texts)); }

}  // namespace

NB_MODULE(_native, module) {
  // Games that are alive when the interpreter exits are no leak worth a warning.
  nb::set_leak_warnings(false);
  module.attr("INFO") = names(nes::Games::info_names());
  module.attr("STATUSES") = names(nes::SuperMarioBros::kStatuses);
  module.attr("ENDINGS") = names(nes::SuperMarioBros::kEndings);
  module.attr("PALETTE") = nb::bytes(nes::kPalette, sizeof(nes::kPalette));
  nb::class_<PyGames>(module, "Games")
      .def(nb::init<const nb::bytes&, nes::Place, int, const nb::bytes&, int, int, int, int,
                    const nb::bytes&, int, double, bool, int, int>(),
           "rom"_a, "place"_a, "stall_frames"_a, "masks"_a, "skip"_a, "stack"_a, "size"_a,
           "crop"_a, "grays"_a, "square"_a, "sticky"_a, "keeps_farthest"_a, "count"_a, "threads"_a)
      .def("start", &PyGames::start, "arrays"_a, "waited_for"_a)
      .def("wait", &PyGames::wait)
      .def("restore", &PyGames::restore)
      .def("actions", &PyGames::actions);
}
