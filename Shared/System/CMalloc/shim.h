#pragma once

// The C library's settings of its heap, which Swift's Glibc module leaves out.

#include <malloc.h>
