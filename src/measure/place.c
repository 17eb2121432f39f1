#include "measure/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096

/* A/B in the arena. */
static char *join(struct arena *arena, const char *folder, size_t length, const char *rest)
{
    char *path = arena_alloc(arena, length + strlen(rest) + 2, 1);
    if (path) {
        memcpy(path, folder, length);
        path[length] = '/';
        memcpy(path + length + 1, rest, strlen(rest) + 1);
    }
    return path;
}

/* `rest` seen from the folder of the running program; NULL where that is not known. */
static char *beside_program(struct arena *arena, const char *rest)
{
    char path[PATH_SIZE];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0) {
        return NULL;
    }
    path[length] = 0;
    const char *slash = strrchr(path, '/');
    return slash ? join(arena, path, (size_t)(slash - path), rest) : NULL;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return path && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_program(const char *path)
{
    struct stat status;
    return path && stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* From an installed program, or one that was moved with its tree, then from one that was built
 * here; else what was said when it was built.  NULL when out of memory. */
static const char *usual_folder(struct arena *arena)
{
    static const char *const places[] = {"../share/mote/targets", "../targets"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        errno = 0;
        const char *folder = beside_program(arena, places[i]);
        if (is_folder(folder) || (!folder && errno == ENOMEM)) {
            return folder;
        }
    }
    return MOTE_PREFIX "/share/mote/targets";
}

const char *place_targets(struct arena *arena, struct error *err)
{
    const char *given = getenv("MOTE_TARGETS");
    const char *folder = given && *given ? given : usual_folder(arena);
    if (!folder) {
        fail_memory(err);
        return NULL;
    }
    char path[PATH_SIZE];
    if (!is_folder(folder) || strlen(folder) >= sizeof path / 2) {
        fail(err, "no folder of targets: %s", folder);
        return NULL;
    }
    char *whole = realpath(folder, NULL);
    if (!whole) {
        fail(err, "%s: %s", folder, strerror(errno));
        return NULL;
    }
    const char *copy = arena_string(arena, whole);
    free(whole);
    if (!copy) {
        fail_memory(err);
    }
    return copy;
}

static const char *search_path(struct arena *arena, const char *name)
{
    const char *folders = getenv("PATH");
    while (folders) {
        size_t length = strcspn(folders, ":");
        char *path = length ? join(arena, folders, length, name) : NULL;
        if (is_program(path)) {
            return path;
        }
        folders = folders[length] ? folders + length + 1 : NULL;
    }
    return NULL;
}

const char *place_program(struct arena *arena, const char *name)
{
    if (strchr(name, '/')) {
        return is_program(name) ? arena_string(arena, name) : NULL;
    }
    if (strncmp(name, "mote-", 5) == 0) {
        const char *path = beside_program(arena, name);
        if (is_program(path)) {
            return path;
        }
    }
    return search_path(arena, name);
}
