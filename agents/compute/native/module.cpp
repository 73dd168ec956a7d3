// Makes the library an extension module, so that the package's build makes and installs it.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if defined(_WIN32)
#define EXPORT extern "C" __declspec(dllexport)
#else
#define EXPORT extern "C" __attribute__((visibility("default")))
#endif

// Whether this processor has what the other functions, if there are any, are compiled for. This
// file is compiled for all processors.
EXPORT int halves_supported() {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
  return __builtin_cpu_supports("avx512fp16") && __builtin_cpu_supports("avx512bw");
#else
  return 0;
#endif
}

static PyModuleDef native_module = {PyModuleDef_HEAD_INIT, "_native",
                                    "The layers' C functions; call them through ctypes.", 0,
                                    nullptr, nullptr, nullptr, nullptr, nullptr};

PyMODINIT_FUNC PyInit__native() { return PyModule_Create(&native_module); }
