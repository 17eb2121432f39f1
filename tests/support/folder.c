#include "support/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_ROOM 512

static char folder[PATH_ROOM];

static void stop(const char *what)
{
    perror(what);
    abort();
}

static int is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Remove `name` in the folder `parent`, with all that is in it where it is a folder. */
static void remove_entry(int parent, const char *name)
{
    if (unlinkat(parent, name, 0) == 0) {
        return;
    }
    DIR *files = fdopendir(openat(parent, name, O_RDONLY | O_DIRECTORY));
    for (struct dirent *file; files && (file = readdir(files)) != NULL;) {
        if (!is_dots(file->d_name)) {
            remove_entry(dirfd(files), file->d_name);
        }
    }
    if (files) {
        (void)closedir(files);
    }
    (void)unlinkat(parent, name, AT_REMOVEDIR);
}

static void remove_folder(void)
{
    remove_entry(AT_FDCWD, folder);
}

static int count_files(void)
{
    int count = 0;
    DIR *files = opendir(folder);
    for (struct dirent *file; files && (file = readdir(files)) != NULL;) {
        count += !is_dots(file->d_name);
    }
    if (files) {
        (void)closedir(files);
    }
    return count;
}

static void make_folder(void)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/mote-test-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(folder) || atexit(remove_folder) != 0) {
        stop(folder);
    }
}

const char *scratch_path(const char *name)
{
    static char paths[8][2 * PATH_ROOM];
    static unsigned next;
    char *path = paths[next++ % 8];
    if (!folder[0]) {
        make_folder();
    }
    (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void scratch_write(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
        stop(path);
    }
}

const char *scratch_folder(const char *name)
{
    const char *path = scratch_path(name);
    if (mkdir(path, 0777) != 0) {
        stop(path);
    }
    return path;
}

int scratch_count(void)
{
    return folder[0] ? count_files() : 0;
}
