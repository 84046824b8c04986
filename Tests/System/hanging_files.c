// Preloaded into a program, makes its calls about files of one directory hang as those of a network file system do whose
// server is away: nothing is done until the server is back, and no signal but death ends the wait.
//
//   HANGING_DIRECTORY   the directory's path
//   HANGING_SWITCH      a file: while it is there, calls hang
//
// What asks of descriptors alone and needs no disk (fstat, flock, close) and sendfile, whose data was read before, go on.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_on(void) {
    const char *path = getenv("HANGING_SWITCH");
    return path && syscall(SYS_access, path, F_OK) == 0;
}

static void pass(const char *path) {
    const char *directory = getenv("HANGING_DIRECTORY");
    if (!directory || !path) return;
    size_t length = strlen(directory);
    if (strncmp(path, directory, length) != 0 || (path[length] != '/' && path[length] != 0)) return;
    while (is_on()) usleep(20000);
}

static void pass_descriptor(int descriptor) {
    char name[64], path[4096];
    if (!is_on()) return;
    snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
    ssize_t count = readlink(name, path, sizeof path - 1);
    if (count <= 0) return;
    path[count] = 0;
    pass(path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    pass(path);
    return NEXT(open)(path, flags, mode);
}

int lstat(const char *path, struct stat *status) { return pass(path), NEXT(lstat)(path, status); }
int stat(const char *path, struct stat *status) { return pass(path), NEXT(stat)(path, status); }
int statvfs(const char *path, struct statvfs *status) { return pass(path), NEXT(statvfs)(path, status); }
int mkdir(const char *path, mode_t mode) { return pass(path), NEXT(mkdir)(path, mode); }
int unlink(const char *path) { return pass(path), NEXT(unlink)(path); }
int link(const char *from, const char *to) { return pass(to), NEXT(link)(from, to); }
int rename(const char *from, const char *to) { return pass(to), NEXT(rename)(from, to); }
DIR *opendir(const char *path) { return pass(path), NEXT(opendir)(path); }

ssize_t pread(int file, void *bytes, size_t count, off_t offset) {
    return pass_descriptor(file), NEXT(pread)(file, bytes, count, offset);
}

// With RWF_NOWAIT it never waits, and says so.
ssize_t preadv2(int file, const struct iovec *parts, int count, off_t offset, int flags) {
    if (!(flags & RWF_NOWAIT)) pass_descriptor(file);
    return NEXT(preadv2)(file, parts, count, offset, flags);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    return pass_descriptor(file), NEXT(pwrite)(file, bytes, count, offset);
}

int fsync(int file) { return pass_descriptor(file), NEXT(fsync)(file); }
int ftruncate(int file, off_t length) { return pass_descriptor(file), NEXT(ftruncate)(file, length); }
int fallocate(int file, int mode, off_t offset, off_t length) {
    return pass_descriptor(file), NEXT(fallocate)(file, mode, offset, length);
}
