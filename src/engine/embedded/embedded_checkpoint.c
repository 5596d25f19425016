#include "embedded_checkpoint.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

// SQLite restarts the write-ahead log with the first write that finds all of it copied. Under a steady stream
// of appends a few more pages have always arrived by the end of a copy, so the log only grows. From
// FINISH_PAGES on, the store thread therefore copies the rest itself, and all appends wait for its two
// fsyncs: first the rest is made small, by one background copy after the other for as long as each has at
// least halved it. From MAX_PAGES on, the store thread waits for the background copy to end.
enum {
    COPY_PAGES = 1000, // since the last copy began: 4 MB
    FINISH_PAGES = 16000,
    MAX_PAGES = 32000
};

struct checkpointer {
    const char *path; // the store's
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool copying, stop; // under lock, like what follows
    int copied_pages;   // of the log, by the last copy
    sqlite3 *db;        // the thread's connection

    // Store thread only:
    int seen_pages;
    int next_pages; // the length at which the next copy is due
    int rest_pages; // while that is made shorter: not copied when the last copy began
};

// Returns how many pages of the log are copied. A failure is not handled here: the next write on the store
// thread reports it.
static int checkpoint_copy(sqlite3 *db) {
    int pages = 0, copied = 0;
    sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
    return copied;
}

// Opens the connection with the first copy: an idle process never needs it. SQLite does not detect the
// write-ahead log until it has read something.
static void checkpoint_open(struct checkpointer *c) {
    sqlite3 *db;
    if (sqlite3_open_v2(c->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK)
        sqlite3_exec(db, "PRAGMA cache_size = -64; SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL);
    pthread_mutex_lock(&c->lock);
    c->db = db;
    pthread_mutex_unlock(&c->lock);
}

static void *checkpoint_thread(void *arg) {
    struct checkpointer *c = arg;
    pthread_setname_np(pthread_self(), "chorus-wal");
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!c->copying && !c->stop) pthread_cond_wait(&c->changed, &c->lock);
        if (c->stop) break;
        pthread_mutex_unlock(&c->lock);
        if (!c->db) checkpoint_open(c);
        int copied = c->db ? checkpoint_copy(c->db) : 0;
        pthread_mutex_lock(&c->lock);
        c->copied_pages = copied;
        c->copying = false;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

struct checkpointer *checkpointer_start(const struct store *s) {
    struct checkpointer *c = mem_zalloc(sizeof *c);
    c->path = s->path;
    c->next_pages = COPY_PAGES;
    c->rest_pages = INT_MAX;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    if (pthread_create(&c->thread, NULL, checkpoint_thread, c) == 0) return c;
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->changed);
    free(c);
    return NULL;
}

void checkpointer_stop(struct checkpointer *c) {
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    if (c->db) sqlite3_interrupt(c->db);
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    sqlite3_close(c->db);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->changed);
    free(c);
}

// Returns whether the thread is idle, and of how many pages its last copy was.
static bool checkpoint_is_idle(struct checkpointer *c, int *copied_pages) {
    pthread_mutex_lock(&c->lock);
    bool idle = !c->copying;
    *copied_pages = c->copied_pages;
    pthread_mutex_unlock(&c->lock);
    return idle;
}

static void checkpoint_start(struct checkpointer *c) {
    pthread_mutex_lock(&c->lock);
    c->copying = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void checkpointer_wait(struct checkpointer *c) {
    pthread_mutex_lock(&c->lock);
    while (c->copying) pthread_cond_wait(&c->changed, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

void checkpointer_run_if_due(struct checkpointer *c, struct store *s) {
    int pages = s->wal_pages, copied;
    if (pages < c->seen_pages) c->next_pages = COPY_PAGES; // SQLite has restarted the log
    c->seen_pages = pages;
    if (pages < c->next_pages) return;
    if (pages >= MAX_PAGES) checkpointer_wait(c);
    if (!checkpoint_is_idle(c, &copied)) return;
    int rest = pages - copied;
    bool finishes = pages >= FINISH_PAGES && rest > c->rest_pages / 2;
    bool shrinks_rest = pages >= FINISH_PAGES && !finishes;
    if (finishes)
        checkpoint_copy(s->db);
    else
        checkpoint_start(c);
    c->rest_pages = shrinks_rest ? rest : INT_MAX;
    c->next_pages = shrinks_rest ? pages : pages + COPY_PAGES;
}
