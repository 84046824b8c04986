#pragma once

// Calls of Linux that the C library declares under _GNU_SOURCE alone, which Swift's Glibc module leaves out.

#include <sys/types.h>
#include <sys/uio.h>

extern int fallocate(int descriptor, int mode, off_t offset, off_t length);
extern ssize_t preadv2(int descriptor, const struct iovec *vectors, int count, off_t offset, int flags);

// RWF_NOWAIT: only what is in memory already.
static const int GLANCE_READ_NO_WAIT = 0x8;

