// Measures how much memory a process allocates. Loaded with LD_PRELOAD.
//
// start_peak() begins a measurement. peak_bytes() returns the largest size that all allocations
// together had since then, in addition to those that existed before. Requests count even if they
// fail or if their memory is never used. Mapped files are no allocations.
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* memory);

static atomic_llong live, peak, start;

void start_peak(void) {
  start = live;
  peak = live;
}

long long peak_bytes(void) { return peak - start; }

static void note_peak(long long bytes) {
  long long known = peak;
  while (bytes > known && !atomic_compare_exchange_weak(&peak, &known, bytes)) {
  }
}

// The request and what it returned.
static void* allocated(size_t size, void* memory) {
  note_peak(live + (long long)size);
  if (memory) live += (long long)malloc_usable_size(memory);
  return memory;
}

void* malloc(size_t size) { return allocated(size, __libc_malloc(size)); }

void* calloc(size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) total = PTRDIFF_MAX;
  return allocated(total, __libc_calloc(count, size));
}

void* memalign(size_t alignment, size_t size) {
  return allocated(size, __libc_memalign(alignment, size));
}

void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void** out, size_t alignment, size_t size) {
  void* memory = memalign(alignment, size);
  if (!memory) return ENOMEM;
  *out = memory;
  return 0;
}

void* realloc(void* memory, size_t size) {
  const long long before = memory ? (long long)malloc_usable_size(memory) : 0;
  void* moved = __libc_realloc(memory, size);
  if (moved || !size) live -= before;
  return allocated(size, moved);
}

void free(void* memory) {
  if (memory) live -= (long long)malloc_usable_size(memory);
  __libc_free(memory);
}

void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) {
  if (flags & MAP_ANONYMOUS) note_peak(live + (long long)size);
  return (void*)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}
