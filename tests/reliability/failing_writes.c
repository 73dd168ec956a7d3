// Makes calls that write below a folder fail, as on a full disk. Loaded with LD_PRELOAD.
//
// fail_writes(folder, first, count) lets the `count` calls from the `first` one on fail.
// written() returns how many calls there were since then.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX];
static atomic_int calls;
static int first_failure, num_failures;

void fail_writes(const char* path, int first, int count) {
  snprintf(folder, sizeof folder, "%s", path);
  calls = 0;
  first_failure = first;
  num_failures = count;
}

int written(void) { return calls; }

static int fails(const char* path) {
  if (!folder[0] || strncmp(path, folder, strlen(folder))) return 0;
  const int call = ++calls;
  return call >= first_failure && call < first_failure + num_failures;
}

static int descriptor_fails(int descriptor) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return fails(path);
}

#define REAL(name) ((__typeof__(name)*)dlsym(RTLD_NEXT, #name))
#define FULL(value) return errno = ENOSPC, value

ssize_t write(int fd, const void* data, size_t size) {
  if (descriptor_fails(fd)) FULL(-1);
  return REAL(write)(fd, data, size);
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
  if (descriptor_fails(fd)) FULL(-1);
  return REAL(writev)(fd, parts, count);
}

int fsync(int fd) {
  if (descriptor_fails(fd)) FULL(-1);
  return REAL(fsync)(fd);
}

int posix_fallocate64(int fd, off64_t offset, off64_t size) {
  if (descriptor_fails(fd)) return ENOSPC;
  return REAL(posix_fallocate64)(fd, offset, size);
}

int rename(const char* from, const char* to) {
  if (fails(to)) FULL(-1);
  return REAL(rename)(from, to);
}

int link(const char* from, const char* to) {
  if (fails(to)) FULL(-1);
  return REAL(link)(from, to);
}

int mkdir(const char* path, mode_t mode) {
  if (fails(path)) FULL(-1);
  return REAL(mkdir)(path, mode);
}

static int open_mode(int flags, va_list arguments) {
  return flags & O_CREAT ? va_arg(arguments, int) : 0;
}

#define OPEN(name)                                                      \
  int name(const char* path, int flags, ...) {                          \
    va_list arguments;                                                  \
    va_start(arguments, flags);                                         \
    const int mode = open_mode(flags, arguments);                       \
    va_end(arguments);                                                  \
    if ((flags & O_CREAT) && fails(path)) FULL(-1);                     \
    return ((int (*)(const char*, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode); \
  }

OPEN(open)
OPEN(open64)
