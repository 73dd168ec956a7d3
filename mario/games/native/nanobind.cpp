// Compiles nanobind's library into the module, so that the module does not need it at run time.
#include "nb_combined.cpp"
