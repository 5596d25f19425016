// The embedded engine from opening to closing: local.h in front of the store's thread. What the thread does
// for an operation is in the file of its subject.
#include "engine/embedded.h"

#include <stdlib.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "embedded_amend.h"
#include "embedded_archive.h"
#include "embedded_counter.h"
#include "embedded_secret.h"
#include "embedded_disk.h"
#include "embedded_audit.h"
#include "embedded_gate.h"
#include "embedded_held.h"
#include "embedded_lease.h"
#include "embedded_log.h"
#include "embedded_mapping.h"
#include "embedded_open.h"
#include "embedded_overview.h"
#include "embedded_room.h"
#include "embedded_settings.h"
#include "embedded_thread.h"
#include "engine/local.h"

enum {
    CLOSE_GRACE_MS = 300,
    HAND_OVER_AT = 8, // so that the thread works on them during the rest of the turn
    ANSWERS_PER_TURN = 64
};

struct embedded {
    struct local_engine local; // first
    char *path, *wal_path;     // of the database and its write-ahead log
    struct store_thread *thread;
    struct loop_job take_answers, reap;
    char why[512];
};

static struct embedded *embedded_of(struct engine *engine) {
    return (struct embedded *)engine;
}

static void embedded_hand_over(struct local_engine *local) {
    store_thread_push(((struct embedded *)local)->thread, &local->pending);
}

static void embedded_take_answers(struct loop_job *job) {
    struct embedded *e = container_of(job, struct embedded, take_answers);
    if (e->local.closing) return;
    bool more;
    struct request_list answers = store_thread_answers(e->thread, ANSWERS_PER_TURN, &more);
    if (more) loop_post(e->local.loop, &e->take_answers);
    local_answer(&e->local, &answers);
}

// On the store's thread.
static void on_answers(void *arg) {
    struct embedded *e = arg;
    loop_post(e->local.loop, &e->take_answers);
}

// Life

static bool embedded_ready(struct engine *engine, const char **why) {
    struct embedded *e = embedded_of(engine);
    bool is_ready = store_thread_ready(e->thread, e->why, sizeof e->why);
    if (!is_ready) *why = e->why;
    return is_ready;
}

static void embedded_set_limits(struct engine *engine, const struct engine_limits *limits) {
    store_thread_set_limits(embedded_of(engine)->thread, limits);
}

static uint64_t file_bytes(const char *path) {
    struct disk_file file;
    return disk_look_up(path, &file) ? 0 : (uint64_t)file.size;
}

static struct engine_stats embedded_stats(struct engine *engine) {
    struct embedded *e = embedded_of(engine);
    struct engine_stats so_far = store_thread_stats(e->thread);
    so_far.waiting = e->local.waiting;
    so_far.database_bytes = file_bytes(e->path);
    so_far.wal_bytes = file_bytes(e->wal_path);
    disk_room(e->path, &so_far.disk_bytes, &so_far.free_bytes);
    return so_far;
}

static void embedded_free(struct embedded *e) {
    free(e->path);
    free(e->wal_path);
    free(e);
}

static void on_embedded_reap(struct loop_job *job) {
    embedded_free(container_of(job, struct embedded, reap));
}

static void embedded_close(struct engine *engine) {
    struct embedded *e = embedded_of(engine);
    struct request_list left = {0};
    if (!local_close_begin(&e->local)) return;
    embedded_hand_over(&e->local);
    store_thread_stop(e->thread, CLOSE_GRACE_MS, &e->local.answers, &left);
    local_close_end(&e->local, &left);
    // Behind a take_answers that may still wait in the loop.
    loop_post(e->local.loop, &e->reap);
}

static const struct engine_ops embedded_ops = {.name = "embedded",
                                               LOCAL_OPERATIONS,
                                               .set_limits = embedded_set_limits,
                                               .ready = embedded_ready,
                                               .stats = embedded_stats,
                                               .close = embedded_close};

static const struct local_store embedded_store = {
    .append = log_append,
    .amend = log_amend,
    .head = log_head,
    .range = log_range,
    .range_before = log_range_before,
    .replay = archive_replay,
    .videos = archive_videos,
    .lookup = mapping_lookup,
    .assign = mapping_assign,
    .reassign = mapping_reassign,
    .release = mapping_release,
    .set_read = mapping_set_read,
    .set_write = mapping_set_write,
    .settings_read = video_settings_read,
    .settings_write = video_settings_write,
    .rooms_read = gate_rooms_read,
    .room_write = gate_room_write,
    .ban_write = gate_ban_write,
    .bans_read = gate_bans_read,
    .held_read = held_read,
    .held_drop = held_drop,
    .audit_read = audit_read,
    .watch = room_watch,
    .lease_renew = lease_carry_out_renew,
    .lease_drop = lease_carry_out_drop,
    .leases = lease_carry_out_list,
    .counter_next = counter_next,
    .secret = secret_keep,
    .overview = overview_read,
};

struct engine *embedded_open(struct loop *loop, const struct embedded_config *config, char *why,
                             size_t why_size) {
    struct embedded *e = mem_zalloc(sizeof *e);
    e->take_answers.run = embedded_take_answers;
    e->reap.run = on_embedded_reap;
    e->path = store_path(config->folder, "chorus.db");
    e->wal_path = store_path(config->folder, "chorus.db-wal");
    e->local = (struct local_engine){.engine.ops = &embedded_ops,
                                     .loop = loop, // the thread may post before it is all there
                                     .hand_over = embedded_hand_over,
                                     .hand_over_at = HAND_OVER_AT};
    e->thread = store_thread_start(config, on_answers, e, why, why_size);
    if (!e->thread) {
        embedded_free(e);
        return NULL;
    }
    local_init(&e->local, &embedded_store, loop);
    return &e->local.engine;
}
