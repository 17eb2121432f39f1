#include "support/folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* Visit the files of the folder: count them, and unlink where asked. */
static int sweep(int unlink_them)
{
    int count = 0;
    DIR *files = opendir(folder);
    for (struct dirent *file; files && (file = readdir(files)) != NULL;) {
        if (!is_dots(file->d_name)) {
            count++;
            if (unlink_them) {
                (void)unlinkat(dirfd(files), file->d_name, 0);
            }
        }
    }
    if (files) {
        (void)closedir(files);
    }
    return count;
}

static void remove_folder(void)
{
    (void)sweep(1);
    (void)rmdir(folder);
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

int scratch_count(void)
{
    return folder[0] ? sweep(0) : 0;
}
