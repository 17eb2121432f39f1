#include "measure/folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *folder_path(const char *folder, const char *file, struct arena *arena)
{
    size_t length = strlen(folder);
    char *path = arena_alloc(arena, length + strlen(file) + 2, 1);
    if (path) {
        memcpy(path, folder, length);
        path[length] = '/';
        memcpy(path + length + 1, file, strlen(file) + 1);
    }
    return path;
}

/* "PARENT/NAME.XXXXXX" in the arena; NULL when out of memory. */
static char *path_pattern(const char *parent, const char *name, struct arena *arena)
{
    size_t size = strlen(parent) + strlen(name) + sizeof "/.XXXXXX";
    char *path = arena_alloc(arena, size, 1);
    if (path) {
        (void)snprintf(path, size, "%s/%s.XXXXXX", parent, name);
    }
    return path;
}

const char *folder_open(const char *name, struct arena *arena, struct error *err)
{
    const char *parent = getenv("TMPDIR");
    parent = parent && *parent ? parent : "/tmp";
    char *whole = realpath(parent, NULL);
    if (!whole) {
        fail(err, "%s: %s", parent, strerror(errno));
        return NULL;
    }
    char *path = path_pattern(whole, name, arena);
    free(whole);
    if (!path) {
        fail_memory(err);
    } else if (!mkdtemp(path)) {
        fail(err, "%s: %s", path, strerror(errno));
        return NULL;
    }
    return path;
}

static void remove_names(const char *folder, const char *const *names)
{
    char path[PATH_MAX];
    for (; *names; names++) {
        int length = snprintf(path, sizeof path, "%s/%s", folder, *names);
        if (length > 0 && (size_t)length < sizeof path) {
            (void)unlink(path);
        }
    }
}

void folder_remove(const char *path, const char *const *names)
{
    remove_names(path, names);
    if (rmdir(path) == 0) {
        return;
    }
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
        }
    }
    if (folder) {
        (void)closedir(folder);
    }
    (void)rmdir(path);
}
