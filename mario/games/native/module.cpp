// The Python module mario.games._native: its class Games, and what the numbers it gives stand for.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <new>
#include <vector>

#include "games.h"

namespace {

using nes::Actions;

// A contiguous array of Python's, held for as long as it is written to.
class Array {
 public:
  Array() = default;
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() { release(); }

  // False, and an exception is set, if it is none or not of this size.
  bool hold(PyObject* object, std::size_t bytes, int flags) {
    release();
    if (PyObject_GetBuffer(object, &buffer_, flags) < 0) return false;
    held_ = true;
    if (static_cast<std::size_t>(buffer_.len) == bytes) return true;
    PyErr_Format(PyExc_ValueError, "an array must have %zu bytes, got %zd", bytes, buffer_.len);
    return false;
  }

  void release() {
    if (held_) PyBuffer_Release(&buffer_);
    held_ = false;
  }

  template <typename T>
  T* as() const {
    return static_cast<T*>(buffer_.buf);
  }

 private:
  Py_buffer buffer_{};
  bool held_ = false;
};

enum Row {
  kActions, kNoops, kSeeds, kBacks, kObservations, kRewards, kTerminated, kTruncated, kInfo,
  kLastObservations, kLastInfo, kLastEndings, kLastReturns, kLastLengths, kRows
};

struct State {
  std::unique_ptr<nes::Games> games;
  std::array<Array, kRows> rows;
};

struct GamesObject {
  PyObject_HEAD
  State state;
};

State& state_of(PyObject* self) { return reinterpret_cast<GamesObject*>(self)->state; }

template <typename Function>
void without_gil(Function function) {
  PyThreadState* thread = PyEval_SaveThread();
  function();
  PyEval_RestoreThread(thread);
}

std::array<std::size_t, kRows> row_bytes(const nes::Games& games) {
  const std::size_t n = games.count(), pictures = n * games.observation_bytes();
  const std::size_t numbers = 8 * n, info = numbers * nes::Games::info_names().size();
  return {numbers, numbers,  numbers, numbers, pictures, numbers, n,
          n,       info,     pictures, info,   numbers,  numbers, numbers};
}

// False, and an exception is set, unless all are actions of the games'.
bool are_actions(const nes::Games& games, const std::int64_t* actions, std::size_t count) {
  const auto number = static_cast<std::int64_t>(games.setup().masks.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (actions[i] >= 0 && actions[i] < number) continue;
    PyErr_Format(PyExc_ValueError, "action must be in 0 to %lld, got %lld",
                 static_cast<long long>(number - 1), static_cast<long long>(actions[i]));
    return false;
  }
  return true;
}

// Makes the games, or gives null and sets an exception.
std::unique_ptr<nes::Games> make_vector_env(PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"rom",  "place",  "stall_frames", "masks",   "skip", "stack",
                                "size", "crop",   "grays",        "square",  "sticky",
                                "keeps_farthest", "count", "threads", nullptr};
  const char *rom, *masks, *bright;
  Py_ssize_t rom_size, masks_size, bright_size;
  nes::Place place;
  int stall_frames, skip, stack, size, crop, square, keeps_farthest, count, threads;
  double sticky;
  nes::GrayPalette grays;
  if (!PyArg_ParseTupleAndKeywords(
          args, kwargs, "y#(iii)iy#iiiiy#idpii", const_cast<char**>(names), &rom, &rom_size,
          &place[0], &place[1], &place[2], &stall_frames, &masks, &masks_size, &skip, &stack, &size,
          &crop, &bright, &bright_size, &square, &sticky, &keeps_farthest, &count, &threads)) {
    return nullptr;
  }
  if (std::min({skip, stack, count, threads}) < 1 || masks_size < 1) {
    PyErr_SetString(PyExc_ValueError, "masks, skip, stack, count and threads must be at least 1");
    return nullptr;
  }
  if (bright_size != static_cast<Py_ssize_t>(grays.size())) {
    PyErr_SetString(PyExc_ValueError, "grays must be a byte for each color of the palette");
    return nullptr;
  }
  std::copy_n(bright, grays.size(), grays.begin());
  if (square < 0 || square * masks_size > size) {
    PyErr_SetString(PyExc_ValueError, "there must be room for a square for each action");
    return nullptr;
  }
  try {
    nes::Setup setup{{rom, rom + rom_size},
                     place[0] > 0 ? std::optional(place) : std::nullopt,
                     stall_frames,
                     {masks, masks + masks_size},
                     {skip, stack, square, sticky, keeps_farthest != 0,
                      nes::Preprocess(size, crop, grays)}};
    return std::make_unique<nes::Games>(std::move(setup), count, threads);
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  }
  return nullptr;
}

PyObject* games_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  std::unique_ptr<nes::Games> games = make_vector_env(args, kwargs);
  if (games == nullptr) return nullptr;
  PyObject* self = PyType_GenericAlloc(type, 0);
  if (self != nullptr) new (&state_of(self)) State{std::move(games), {}};
  return self;
}

void games_free(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  without_gil([&] { state_of(self).games.reset(); });
  state_of(self).~State();
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* games_start(PyObject* self, PyObject* args) {
  auto& [games, rows] = state_of(self);
  PyObject* arrays;
  int waited_for;
  if (!PyArg_ParseTuple(args, "O!p", &PyTuple_Type, &arrays, &waited_for)) return nullptr;
  if (PyTuple_GET_SIZE(arrays) != kRows) {
    return PyErr_Format(PyExc_ValueError, "a step has %d arrays, got %zd", kRows,
                        PyTuple_GET_SIZE(arrays));
  }
  without_gil([&] { games->wait(); });
  const auto bytes = row_bytes(*games);
  for (int row = 0; row < kRows; ++row) {
    const int flags = row > kBacks ? PyBUF_WRITABLE : PyBUF_SIMPLE;
    if (!rows[row].hold(PyTuple_GET_ITEM(arrays, row), bytes[row], flags)) return nullptr;
  }
  if (!are_actions(*games, rows[kActions].as<std::int64_t>(), games->count())) return nullptr;
  const nes::Rows places = {
      rows[kActions].as<std::int64_t>(),          rows[kNoops].as<std::int64_t>(),
      rows[kSeeds].as<std::uint64_t>(),           rows[kBacks].as<std::int64_t>(),
      rows[kObservations].as<std::uint8_t>(),     rows[kRewards].as<double>(),
      rows[kTerminated].as<std::uint8_t>(),       rows[kTruncated].as<std::uint8_t>(),
      rows[kInfo].as<std::int64_t>(),             rows[kLastObservations].as<std::uint8_t>(),
      rows[kLastInfo].as<std::int64_t>(),         rows[kLastEndings].as<std::int64_t>(),
      rows[kLastReturns].as<double>(),            rows[kLastLengths].as<std::int64_t>()};
  games->start_step(places, waited_for);
  Py_RETURN_NONE;
}

PyObject* games_wait(PyObject* self, PyObject*) {
  State& state = state_of(self);
  without_gil([&] { state.games->wait(); });
  for (Array& row : state.rows) row.release();
  Py_RETURN_NONE;
}

// False, and an exception is set, unless it is a list of actions.
bool read_actions(const nes::Games& games, PyObject* list, Actions& actions) {
  if (!PyList_Check(list)) {
    PyErr_SetString(PyExc_TypeError, "the actions of a game are a list of int");
    return false;
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
    actions.push_back(PyLong_AsLongLong(PyList_GET_ITEM(list, i)));
    if (PyErr_Occurred()) return false;
  }
  return are_actions(games, actions.data(), actions.size());
}

// Reads where every game was out of lists and arrays of Python's.
class Entries {
 public:
  // False, and an exception is set, unless all of it is there and makes sense.
  bool read(const nes::Games& games, PyObject* lists, PyObject* farthest, PyObject** objects) {
    if (PyList_GET_SIZE(lists) != games.count() || PyList_GET_SIZE(farthest) != games.count()) {
      PyErr_Format(PyExc_ValueError, "there are %d games, got the actions of %zd", games.count(),
                   PyList_GET_SIZE(lists));
      return false;
    }
    std::array<Array, 5> arrays;  // noops, seeds and revisited; noops and seeds of the farthest
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      const std::size_t bytes = 8 * static_cast<std::size_t>(games.count());
      if (!arrays[i].hold(objects[i], bytes, PyBUF_SIMPLE)) return false;
    }
    for (int game = 0; game < games.count(); ++game) {
      nes::Entry& entry = all.emplace_back();
      entry.way.start = start_of(arrays[0], arrays[1], game);
      entry.revisited = arrays[2].as<std::int64_t>()[game];
      entry.farthest.start = start_of(arrays[3], arrays[4], game);
      if (!read_actions(games, PyList_GET_ITEM(lists, game), entry.way.actions)) return false;
      if (!read_actions(games, PyList_GET_ITEM(farthest, game), entry.farthest.actions)) {
        return false;
      }
      const auto length = static_cast<std::int64_t>(entry.way.actions.size());
      if (entry.revisited < -length || entry.revisited > length) {
        PyErr_Format(PyExc_ValueError, "of %lld actions, 0 to all are revisited, got %lld",
                     static_cast<long long>(length), static_cast<long long>(entry.revisited));
        return false;
      }
    }
    return true;
  }

  std::vector<nes::Entry> all;

 private:
  static nes::Start start_of(const Array& noops, const Array& seeds, int game) {
    return {noops.as<std::int64_t>()[game], seeds.as<std::uint64_t>()[game]};
  }
};

PyObject* games_restore(PyObject* self, PyObject* args) {
  nes::Games& games = *state_of(self).games;
  PyObject *lists, *farthest, *objects[7];
  if (!PyArg_ParseTuple(args, "O!OOOO!OOOO", &PyList_Type, &lists, &objects[0], &objects[1],
                        &objects[2], &PyList_Type, &farthest, &objects[3], &objects[4], &objects[5],
                        &objects[6])) {
    return nullptr;
  }
  Entries entries;
  if (!entries.read(games, lists, farthest, objects)) return nullptr;
  const auto bytes = row_bytes(games);
  Array observations, info;
  if (!observations.hold(objects[5], bytes[kObservations], PyBUF_WRITABLE) ||
      !info.hold(objects[6], bytes[kInfo], PyBUF_WRITABLE)) {
    return nullptr;
  }
  without_gil([&] {
    games.restore(entries.all, observations.as<std::uint8_t>(), info.as<std::int64_t>());
  });
  Py_RETURN_NONE;
}

PyObject* list_of(const Actions& actions) {
  PyObject* list = PyList_New(static_cast<Py_ssize_t>(actions.size()));
  for (std::size_t i = 0; list != nullptr && i < actions.size(); ++i) {
    PyList_SET_ITEM(list, i, PyLong_FromLongLong(actions[i]));
  }
  return list;
}

// A pair for each game: all its actions, and those of its farthest way or None.
PyObject* games_actions(PyObject* self, PyObject*) {
  nes::Games& games = *state_of(self).games;
  without_gil([&] { games.wait(); });
  PyObject* pairs = PyList_New(games.count());
  for (int game = 0; pairs != nullptr && game < games.count(); ++game) {
    const nes::Player& player = games.player(game);
    const auto& way = player.farthest();
    PyObject* farthest = way ? list_of(way->actions) : Py_NewRef(Py_None);
    PyObject* pair = Py_BuildValue("(NN)", list_of(player.actions()), farthest);
    if (pair == nullptr) Py_CLEAR(pairs);
    else PyList_SET_ITEM(pairs, game, pair);
  }
  return pairs;
}

PyMethodDef games_methods[] = {{"start", games_start, METH_VARARGS, nullptr},
                               {"wait", games_wait, METH_NOARGS, nullptr},
                               {"restore", games_restore, METH_VARARGS, nullptr},
                               {"actions", games_actions, METH_NOARGS, nullptr},
                               {nullptr, nullptr, 0, nullptr}};

PyType_Slot games_slots[] = {{Py_tp_new, reinterpret_cast<void*>(games_new)},
                             {Py_tp_dealloc, reinterpret_cast<void*>(games_free)},
                             {Py_tp_methods, games_methods},
                             {0, nullptr}};

PyType_Spec games_spec = {"mario.games._native.Games", sizeof(GamesObject), 0, Py_TPFLAGS_DEFAULT,
                          games_slots};

bool add_names(PyObject* module, const char* name, const std::vector<const char*>& names) {
  PyObject* tuple = PyTuple_New(static_cast<Py_ssize_t>(names.size()));
  for (std::size_t i = 0; tuple != nullptr && i < names.size(); ++i) {
    PyTuple_SET_ITEM(tuple, i, PyUnicode_FromString(names[i]));
  }
  return tuple != nullptr && PyModule_AddObject(module, name, tuple) == 0;
}

bool add_palette(PyObject* module) {
  const auto* colors = reinterpret_cast<const char*>(nes::kPalette);
  PyObject* bytes = PyBytes_FromStringAndSize(colors, sizeof(nes::kPalette));
  return bytes != nullptr && PyModule_AddObject(module, "PALETTE", bytes) == 0;
}

PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_native", nullptr, -1, nullptr,
                          nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__native() {
  PyObject* module = PyModule_Create(&definition);
  PyObject* type = PyType_FromSpec(&games_spec);
  using Mario = nes::SuperMarioBros;
  if (module != nullptr && type != nullptr && PyModule_AddObject(module, "Games", type) == 0 &&
      add_names(module, "INFO", nes::Games::info_names()) &&
      add_names(module, "STATUSES", Mario::kStatuses) &&
      add_names(module, "ENDINGS", Mario::kEndings) && add_palette(module)) {
    return module;
  }
  Py_XDECREF(module);
  return nullptr;
}
