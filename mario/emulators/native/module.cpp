// Makes the library an extension module, so that the package's build makes and installs it.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyModuleDef native_module = {PyModuleDef_HEAD_INIT, "_native",
                                    "The console's C functions; call them through ctypes.", 0,
                                    nullptr, nullptr, nullptr, nullptr, nullptr};

PyMODINIT_FUNC PyInit__native() { return PyModule_Create(&native_module); }
