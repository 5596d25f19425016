#include "base/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

// A named pipe must not block, so it is not waited for. (A regular file is the same either way.)
static FILE *file_open(const char *path) {
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd < 0 ? NULL : fdopen(fd, "r");
}

static const char *file_take(FILE *in, size_t most, struct small_file *file) {
    struct stat s;
    if (fstat(fileno(in), &s) < 0) return strerror(errno);
    if (!S_ISREG(s.st_mode)) return S_ISDIR(s.st_mode) ? "it is a folder" : "it is not a regular file";
    file->is_public = s.st_mode & S_IROTH;
    file->text = mem_alloc(most + 2);
    file->len = fread(file->text, 1, most + 1, in);
    file->text[file->len] = 0;
    return ferror(in) ? strerror(errno) : NULL;
}

bool small_file_read(const char *path, size_t most, struct small_file *file, char *why, size_t why_size) {
    FILE *in = file_open(path);
    *file = (struct small_file){0};
    const char *error = in ? file_take(in, most, file) : strerror(errno);
    if (error)
        snprintf(why, why_size, "cannot be read: %s", error);
    else if (file->len > most)
        snprintf(why, why_size, "is larger than %zu bytes", most);
    if (in) fclose(in);
    if (!error && file->len <= most) return true;
    free(file->text);
    return false;
}
