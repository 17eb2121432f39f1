#include "base/file.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_dash(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* The whole of an open descriptor; grows by doubling, never beyond limit + 1. */
static unsigned char *read_all(int fd, size_t limit, size_t *size)
{
    size_t capacity = 1 << 16;
    unsigned char *data = malloc(capacity + 1);
    *size = 0;
    while (data) {
        ssize_t got = read(fd, data + *size, capacity - *size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            int kept = errno;
            free(data);
            errno = kept;
            return NULL;
        }
        *size += (size_t)got;
        if (got == 0 || *size > limit) {
            data[*size] = 0;
            return data;
        }
        if (*size == capacity) {
            capacity *= 2;
            unsigned char *more = realloc(data, capacity + 1);
            if (!more) {
                free(data);
                errno = ENOMEM;
            }
            data = more;
        }
    }
    return NULL;
}

unsigned char *file_read(const char *path, size_t limit, size_t *size, struct error *err)
{
    int fd = is_dash(path) ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fail(err, "%s: %s", path, strerror(errno));
        return NULL;
    }
    unsigned char *data = read_all(fd, limit, size);
    int kept = errno;
    if (!is_dash(path)) {
        (void)close(fd);
    }
    if (!data) {
        fail(err, "%s: %s", path, kept == ENOMEM ? "out of memory" : strerror(kept));
        return NULL;
    }
    if (*size > limit) {
        fail(err, "%s: larger than %zu bytes", path, limit);
        free(data);
        return NULL;
    }
    return data;
}

static bool write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t done = write(fd, data, size);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        data += done;
        size -= (size_t)done;
    }
    return true;
}

/* Devices and pipes (/dev/full, /dev/stdout) have no place for a temporary file. */
static bool is_special(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

static bool write_plain(int fd, const void *data, size_t size, const char *path, struct error *err)
{
    if (fd < 0 || !write_all(fd, data, size)) {
        fail(err, "%s: %s", path, strerror(errno));
    }
    if (fd > STDERR_FILENO && close(fd) != 0) {
        fail(err, "%s: %s", path, strerror(errno));
    }
    return !err->failed;
}

/* Make a rename durable.  Some file systems refuse to sync folders: that is no failure. */
static void sync_folder(const char *path)
{
    char *folder = strdup(path);
    if (!folder) {
        return;
    }
    char *slash = strrchr(folder, '/');
    if (slash) {
        slash[slash == folder] = 0;
    }
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
    free(folder);
}

/* mkstemp makes files for the owner alone: give what a plain open() would have given. */
static void usual_mode(int fd, const char *path)
{
    struct stat status;
    mode_t mask = umask(0);
    (void)umask(mask);
    (void)fchmod(fd, stat(path, &status) == 0 ? status.st_mode & 0777 : 0666 & ~mask);
}

static bool replace(const char *temporary, int fd, const void *data, size_t size, const char *path)
{
    usual_mode(fd, path);
    bool done = write_all(fd, data, size) && fsync(fd) == 0;
    int kept = errno;
    if (close(fd) != 0 && done) {
        kept = errno;
        done = false;
    }
    errno = kept;
    return done && rename(temporary, path) == 0;
}

bool file_write(const char *path, const void *data, size_t size, struct error *err)
{
    if (is_dash(path)) {
        return write_plain(STDOUT_FILENO, data, size, "standard output", err);
    }
    if (is_special(path)) {
        return write_plain(open(path, O_WRONLY | O_CLOEXEC), data, size, path, err);
    }
    struct text temporary = {0};
    text_printf(&temporary, "%s.XXXXXX", path);
    if (temporary.failed) {
        text_free(&temporary);
        return fail_memory(err);
    }
    int fd = mkstemp(temporary.data);
    if (fd < 0) {
        fail(err, "%s: %s", path, strerror(errno));
    } else if (!replace(temporary.data, fd, data, size, path)) {
        fail(err, "%s: %s", path, strerror(errno));
        (void)unlink(temporary.data);
    } else {
        sync_folder(path);
    }
    text_free(&temporary);
    return !err->failed;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool file_writable(const char *path, struct error *err)
{
    if (is_dash(path)) {
        return true;
    }
    if (is_folder(path)) {
        return fail(err, "%s: %s", path, strerror(EISDIR));
    }
    char *folder = strdup(path);
    if (!folder) {
        return fail_memory(err);
    }
    char *slash = strrchr(folder, '/');
    if (slash) {
        slash[slash == folder] = 0;
    }
    bool good = access(is_special(path) ? path : slash ? folder : ".", W_OK) == 0;
    if (!good) {
        fail(err, "%s: %s", path, strerror(errno));
    }
    free(folder);
    return good;
}

bool file_readable(const char *path, struct error *err)
{
    return is_dash(path) || access(path, R_OK) == 0 || fail(err, "%s: %s", path, strerror(errno));
}
