#include "identity/key_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/small_file.h"
#include "identity/keys.h"
#include "net/loop.h"

enum { LOOK_MS = 1000, WHY_SIZE = 256 };

struct identity_key_file {
    struct loop *loop;
    struct identity_keys *keys;
    struct loop_timer look;
    struct stat seen; // of what was read last, good or not
    char *path;
};

// Returns the number of keys, and 0 with a clause. What is skipped has a clause too.
static size_t key_file_load(struct identity_key_file *f, char *why, size_t why_size) {
    struct small_file file;
    stat(f->path, &f->seen); // before it is read: a later change is seen
    if (!small_file_read(f->path, IDENTITY_KEYS_BYTES, &file, why, why_size)) return 0;
    size_t count = identity_keys_load(f->keys, file.text, file.len, why, why_size);
    explicit_bzero(file.text, file.len);
    free(file.text);
    return count;
}

bool identity_key_file_read(struct identity_key_file *f) {
    char why[WHY_SIZE] = "";
    size_t count = key_file_load(f, why, sizeof why);
    if (!count) log_error("identity", "keys_failed", "file=%s why=\"%s\" keys=as_before", f->path, why);
    if (count) log_info("identity", "keys_read", "file=%s keys=%zu", f->path, count);
    if (count && *why) log_warn("identity", "key_skipped", "file=%s why=\"%s\"", f->path, why);
    return count;
}

static bool key_file_has_changed(const struct identity_key_file *f) {
    struct stat now;
    if (stat(f->path, &now) < 0) return false;
    return now.st_ino != f->seen.st_ino || now.st_dev != f->seen.st_dev || now.st_size != f->seen.st_size ||
           now.st_mtim.tv_sec != f->seen.st_mtim.tv_sec || now.st_mtim.tv_nsec != f->seen.st_mtim.tv_nsec;
}

static void on_look(struct loop_timer *t) {
    struct identity_key_file *f = container_of(t, struct identity_key_file, look);
    if (key_file_has_changed(f)) identity_key_file_read(f);
    loop_timer_start(f->loop, t, LOOK_MS);
}

static bool on_unknown_key(void *arg, bool *pending) {
    struct identity_key_file *f = arg;
    (void)pending;
    return key_file_has_changed(f) && identity_key_file_read(f);
}

struct identity_key_file *identity_key_file_new(struct loop *loop, struct identity_keys *keys,
                                                const char *path, char *why, size_t why_size) {
    struct identity_key_file *f = mem_zalloc(sizeof *f);
    f->loop = loop;
    f->keys = keys;
    f->path = mem_strdup(path);
    if (!key_file_load(f, why, why_size)) {
        identity_key_file_free(f);
        return NULL;
    }
    if (*why) log_warn("identity", "key_skipped", "file=%s why=\"%s\"", path, why);
    identity_keys_on_unknown(keys, on_unknown_key, f);
    f->look.on_due = on_look;
    loop_timer_start(loop, &f->look, LOOK_MS);
    return f;
}

void identity_key_file_free(struct identity_key_file *f) {
    if (!f) return;
    loop_timer_stop(f->loop, &f->look);
    identity_keys_on_unknown(f->keys, NULL, NULL);
    free(f->path);
    free(f);
}
