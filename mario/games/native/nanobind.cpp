// Compiles nanobind itself into the module, so that nothing of it is needed when games run.
#include "nb_combined.cpp"
