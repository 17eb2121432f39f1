/* Preloaded into mote by the fault tests: makes one call, or every call from one on, fail.
 *
 *   FAULT_KIND   memory: malloc, calloc, realloc, aligned_alloc, posix_memalign, strdup ...
 *                thread: pthread_create        open: open, mkstemp, opendir
 *                read, write, fsync, close, rename: the call of that name
 *                short: nothing fails, but reads and writes move few bytes and are interrupted
 *   FAULT_AT     number of the first call that fails, from 0
 *   FAULT_ALL    if set, all later calls fail too
 *   FAULT_MARK   file that is made when a call has failed
 *
 * Only the program named mote is touched, not the compilers and emulators that it starts.  Counting
 * begins when this library is initialised, after the dynamic linker's own allocations.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind { NONE, MEMORY, THREAD, OPEN, READ, WRITE, FSYNC, CLOSE, RENAME, SHORT };

static const char *const kind_names[] = {"",      "memory", "thread", "open",   "read",
                                         "write", "fsync",  "close",  "rename", "short"};

static enum kind active;
static long first;
static bool all;
static const char *mark;
static atomic_long calls;

/* glibc's own names, which need no look-up: dlsym() itself allocates. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("FAULT_KIND");
    const char *at = getenv("FAULT_AT");
    if (!name || strcmp(program_invocation_short_name, "mote") != 0) {
        return;
    }
    first = at ? strtol(at, NULL, 10) : 0;
    all = getenv("FAULT_ALL") != NULL;
    mark = getenv("FAULT_MARK");
    for (int i = 1; i <= SHORT; i++) {
        if (strcmp(name, kind_names[i]) == 0) {
            active = (enum kind)i;
        }
    }
}

/* System calls alone: this runs inside malloc(). */
static void leave_mark(void)
{
    if (mark) {
        long fd = syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        syscall(SYS_close, fd);
    }
}

/* Does this call fail? */
static bool fails(enum kind kind, int error)
{
    if (active != kind) {
        return false;
    }
    long call = atomic_fetch_add(&calls, 1);
    if (call != first && !(all && call > first)) {
        return false;
    }
    if (call == first) {
        leave_mark();
    }
    errno = error;
    return true;
}

/* ---- memory ---- */

void *malloc(size_t size)
{
    return fails(MEMORY, ENOMEM) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(MEMORY, ENOMEM) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails(MEMORY, ENOMEM) ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails(MEMORY, ENOMEM) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    void *got = fails(MEMORY, ENOMEM) ? NULL : __libc_memalign(alignment, size);
    if (!got) {
        return ENOMEM;
    }
    *memory = got;
    return 0;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                   void *argument)
{
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (fails(THREAD, EAGAIN)) {
        return EAGAIN;
    }
    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    }
    return real(thread, attributes, body, argument);
}

/* ---- files: straight to the kernel ---- */

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    unsigned mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, unsigned) : 0;
    va_end(rest);
    return fails(OPEN, EMFILE) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int mkstemp(char *template)
{
    static int (*real)(char *);
    if (fails(OPEN, EACCES)) {
        return -1;
    }
    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "mkstemp");
    }
    return real(template);
}

DIR *opendir(const char *path)
{
    static DIR *(*real)(const char *);
    if (fails(OPEN, EMFILE)) {
        return NULL;
    }
    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "opendir");
    }
    return real(path);
}

/* Of a read or write of `size` bytes: how many are moved; every fifth call is interrupted. */
static bool shorten(size_t *size)
{
    if (active != SHORT) {
        return false;
    }
    long call = atomic_fetch_add(&calls, 1);
    if (call == 0) {
        leave_mark();
    }
    size_t most = (size_t)(call % 97) + 1;
    *size = *size < most ? *size : most;
    errno = EINTR;
    return call % 5 == 4;
}

ssize_t read(int fd, void *data, size_t size)
{
    return fails(READ, EIO) || shorten(&size) ? -1 : syscall(SYS_read, fd, data, size);
}

ssize_t write(int fd, const void *data, size_t size)
{
    return fails(WRITE, ENOSPC) || shorten(&size) ? -1 : syscall(SYS_write, fd, data, size);
}

int fsync(int fd)
{
    return fails(FSYNC, EIO) ? -1 : (int)syscall(SYS_fsync, fd);
}

/* As the kernel does it: the descriptor is gone, the error says that data may be lost. */
int close(int fd)
{
    long status = syscall(SYS_close, fd);
    return fails(CLOSE, EIO) ? -1 : (int)status;
}

int rename(const char *from, const char *to)
{
    return fails(RENAME, EACCES) ? -1
                                 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
