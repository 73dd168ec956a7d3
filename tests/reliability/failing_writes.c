// Makes calls that write below a folder fail, as on a full disk, or slow. Loaded with LD_PRELOAD.
//
// fail_writes(folder, first, count) lets the `count` calls from the `first` one on fail.
// slow_writes(folder, milliseconds) lets each call take longer, and each fsync ten times as much.
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
#include <time.h>
#include <unistd.h>

static char folder[PATH_MAX];
static atomic_int calls;
static int first_failure, num_failures, delay;

void fail_writes(const char* path, int first, int count) {
  snprintf(folder, sizeof folder, "%s", path);
  calls = 0;
  first_failure = first;
  num_failures = count;
}

void slow_writes(const char* path, int milliseconds) {
  fail_writes(path, 0, 0);
  delay = milliseconds;
}

int written(void) { return calls; }

// Waits as a disk does, which signals do not interrupt.
static void wait_for(long milliseconds) {
  struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  while (nanosleep(&left, &left) == -1 && errno == EINTR) {
  }
}

static int fails(const char* path) {
  if (!folder[0] || strncmp(path, folder, strlen(folder))) return 0;
  wait_for(delay);
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
  const int before = calls;
  if (descriptor_fails(fd)) FULL(-1);
  if (calls > before) wait_for(9 * delay);
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
