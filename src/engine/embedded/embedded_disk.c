#include "embedded_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"

static int disk_result(int result) {
    return result < 0 ? -errno : 0;
}

int disk_look_up(const char *path, struct disk_file *file) {
    struct stat st;
    if (stat(path, &st) < 0) return -errno;
    *file = (struct disk_file){.is_file = S_ISREG(st.st_mode),
                               .is_folder = S_ISDIR(st.st_mode),
                               .device = st.st_dev,
                               .inode = st.st_ino,
                               .size = st.st_size,
                               .changed_s = st.st_mtim.tv_sec,
                               .changed_ns = st.st_mtim.tv_nsec};
    return 0;
}

int disk_make_folder(const char *path) {
    return disk_result(mkdir(path, 0700));
}

int disk_make_file(const char *path, bool may_exist) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | (may_exist ? 0 : O_EXCL), 0600);
    if (fd < 0) return -errno;
    close(fd);
    return 0;
}

int disk_rename(const char *from, const char *to, bool replace) {
    if (replace) return disk_result(rename(from, to));
    int error = disk_result(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE));
    // Not every file system can refuse to replace in one step.
    if (error != -EINVAL) return error;
    return access(to, F_OK) == 0 ? -EEXIST : disk_result(rename(from, to));
}

int disk_remove(const char *path) {
    return disk_result(unlink(path));
}

int disk_sync(const char *path) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int error = disk_result(fsync(fd));
    if (error == -EINVAL && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) error = 0;
    close(fd);
    return error;
}

int disk_sync_folder_of(const char *path) {
    char *copy = mem_strdup(path);
    int error = disk_sync(dirname(copy));
    free(copy);
    return error;
}

int disk_read(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    ssize_t n = pread(fd, text, size - 1, 0);
    int error = n < 0 ? -errno : 0;
    text[n > 0 ? n : 0] = 0;
    close(fd);
    return error;
}

int disk_write(const char *path, const char *text, bool sync) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return -errno;
    ssize_t n = pwrite(fd, text, strlen(text), 0);
    int error = n < 0 ? -errno : (size_t)n < strlen(text) ? -ENOSPC : 0;
    if (!error && sync) error = disk_result(fsync(fd));
    close(fd);
    return error;
}

static int disk_rewrite_all(int fd) {
    static const size_t piece = 256 << 10;
    char *bytes = mem_alloc(piece);
    int error = 0;
    ssize_t n;
    for (off_t at = 0; !error && (n = pread(fd, bytes, piece, at)) != 0; at += n) {
        if (n < 0) error = -errno;
        if (n > 0 && pwrite(fd, bytes, (size_t)n, at) != n) error = -EIO;
    }
    free(bytes);
    return error ? error : disk_result(fsync(fd));
}

int disk_rewrite(const char *path) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return -errno;
    int error = disk_rewrite_all(fd);
    close(fd);
    return error;
}

int disk_lock(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return -errno;
    int error = disk_result(flock(fd, LOCK_EX | LOCK_NB));
    if (!error) return fd;
    close(fd);
    return error;
}

void disk_unlock(int lock) {
    close(lock);
}

int disk_give(const char *path, const char *folder) {
    struct stat owner;
    if (geteuid() != 0) return 0;
    if (stat(folder, &owner) < 0) return -errno;
    return disk_result(lchown(path, owner.st_uid, owner.st_gid));
}

int disk_room(const char *path, uint64_t *bytes, uint64_t *free_bytes) {
    struct statvfs disk;
    if (statvfs(path, &disk) < 0) return -errno;
    *bytes = (uint64_t)disk.f_blocks * disk.f_frsize;
    *free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    return 0;
}
