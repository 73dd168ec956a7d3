// Makes the library an extension module, so that Python finds it. Its functions are called with
// ctypes.
#include <Python.h>

static PyModuleDef native_module = {PyModuleDef_HEAD_INIT, "_native"};

PyMODINIT_FUNC PyInit__native() { return PyModule_Create(&native_module); }
