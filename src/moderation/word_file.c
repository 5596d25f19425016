#include "word_file.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/small_file.h"
#include "moderation/first_line.h"
#include "net/loop.h"
#include "word_list.h"

enum { LOOK_MS = 1000, WHY_SIZE = 256 };

struct word_file {
    struct loop *loop;
    struct word_list *list;
    struct loop_timer look;
    struct stat seen; // of what was read last, good or not
    char *path;
};

static bool word_file_load(struct word_file *f, char *why, size_t why_size) {
    struct small_file file;
    size_t skipped;
    stat(f->path, &f->seen); // before it is read: a later change is seen
    if (!small_file_read(f->path, FIRST_LINE_WORDS_BYTES, &file, why, why_size)) return false;
    word_list_free(f->list);
    f->list = word_list_new(file.text, file.len, &skipped);
    free(file.text);
    log_info("comment", "words_read", "file=%s words=%zu", f->path, word_list_count(f->list));
    if (skipped) log_warn("comment", "words_skipped", "file=%s lines=%zu", f->path, skipped);
    return true;
}

bool word_file_read(struct word_file *f) {
    char why[WHY_SIZE];
    bool read = word_file_load(f, why, sizeof why);
    if (!read) log_error("comment", "words_failed", "file=%s why=\"%s\" words=as_before", f->path, why);
    return read;
}

static bool word_file_has_changed(const struct word_file *f) {
    struct stat now;
    if (stat(f->path, &now) < 0) return false;
    return now.st_ino != f->seen.st_ino || now.st_dev != f->seen.st_dev || now.st_size != f->seen.st_size ||
           now.st_mtim.tv_sec != f->seen.st_mtim.tv_sec || now.st_mtim.tv_nsec != f->seen.st_mtim.tv_nsec;
}

static void on_word_file_look(struct loop_timer *t) {
    struct word_file *f = container_of(t, struct word_file, look);
    if (word_file_has_changed(f)) word_file_read(f);
    loop_timer_start(f->loop, t, LOOK_MS);
}

struct word_file *word_file_new(struct loop *loop, const char *path, char *why, size_t why_size) {
    struct word_file *f = mem_zalloc(sizeof *f);
    f->loop = loop;
    f->path = mem_strdup(path);
    if (!word_file_load(f, why, why_size)) {
        word_file_free(f);
        return NULL;
    }
    f->look.on_due = on_word_file_look;
    loop_timer_start(loop, &f->look, LOOK_MS);
    return f;
}

void word_file_free(struct word_file *f) {
    if (!f) return;
    loop_timer_stop(f->loop, &f->look);
    word_list_free(f->list);
    free(f->path);
    free(f);
}

const struct word_list *word_file_list(const struct word_file *f) {
    return f->list;
}
