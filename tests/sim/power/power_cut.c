// The embedded engine's store on a disk that loses what was not synced. A run is one disk: the store is
// opened on it again and again, appends, sweeps, copies its log, is backed up and restored, and ends by
// closing, by a kill or by a power cut in the middle of any call, also while it is being opened. Then the
// ledger is compared with what is there: with `durable` all that was answered; without, the oldest part of
// it; and never two texts under one number.
//
//     test_power_cut                 all tests
//     test_power_cut KIND SEED [N]   the runs from SEED on; KIND is one of the letters below
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/prng.h"
#include "base/random.h"
#include "engine/embedded/embedded_disk.h"
#include "engine/embedded/embedded_open.h"
#include "engine/embedded/embedded_store.h"
#include "engine/embedded/embedded_sweep.h"
#include "engine/embedded_files.h"
#include "ledger.h"
#include "store_calls.h"
#include "vfs_disk.h"

enum { LIVES = 8, STEPS = 14, BATCH = 12 };

#define FOLDER   "/disk/data"
#define DATABASE FOLDER "/chorus.db"
#define BACKUP   "/disk/backup.db"

// What a run is about.
struct kind {
    char letter;
    bool durable;
    bool faults;                      // the disk fails now and then, and is full now and then
    bool fails_often;                 // many syncs fail, and forget what they should have written
    bool restores;                    // backups are made and restored
    bool clock_is_set;                // back, at power cuts
    bool old_folder;                  // begins with a database of version 1
    bool ignores_sync, answers_early; // planted
};

static const struct kind kinds[] = {
    {.letter = 'd', .durable = true, .clock_is_set = true},
    {.letter = 'n', .clock_is_set = true},
    {.letter = 'f', .durable = true, .faults = true},
    {.letter = 'g', .faults = true},
    {.letter = 'k', .durable = true, .faults = true, .fails_often = true},
    {.letter = 'r', .durable = true, .restores = true, .clock_is_set = true},
    {.letter = 's', .restores = true, .clock_is_set = true},
    {.letter = 'o', .durable = true, .old_folder = true},
    {.letter = 'p', .old_folder = true},
    {.letter = 'x', .durable = true, .ignores_sync = true},
    {.letter = 'y', .durable = true, .answers_early = true},
};

struct run {
    const struct kind *kind;
    uint64_t seed;
    struct prng chance, random; // of the steps; of what production draws
    struct vfs_disk *disk;
    struct embedded_config config;
    struct store *store;
    struct ledger ledger;
    enum ledger_must must; // at the next opening
    bool maybe_restored;   // a restore was cut off
    uint64_t replaced;     // by that one, or its repeats: an inode
    uint64_t replaced_log; // the same of its write-ahead log; 0: there was nothing in it
    bool has_backup;
    char aside[EMBEDDED_PATH_SIZE]; // where the last restore has moved what it replaced
    unsigned names_left;            // changes and syncs until the disk dies; 0: it does not die by them
    unsigned mapped[LEDGER_VIDEOS]; // by an answered assign(); 0: not known
    uint64_t counted;               // the last answer
};

static unsigned long cuts; // in all runs

// The clocks, which stand still between two steps. Each run begins at the same time, alone or among others.

static const int64_t WALL_US = INT64_C(1795714500000000), MONOTONIC_US = 1000000000;
static int64_t wall_us, monotonic_us;

int clock_gettime(clockid_t which, struct timespec *t) {
    int64_t us = which == CLOCK_REALTIME ? wall_us : monotonic_us;
    *t = (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    return 0;
}

// Chance in production comes from the run, too; the linker leads hash_random() here.

static struct prng *random_of_run;

bool random_bytes(void *out, size_t len) {
    memset(out, 5, len);
    return true;
}

uint64_t __wrap_hash_random(void);
uint64_t __wrap_hash_random(void) {
    return prng_below(random_of_run, UINT64_MAX);
}

static uint64_t below(struct run *r, uint64_t n) {
    return prng_below(&r->chance, n);
}

static bool one_in(struct run *r, uint64_t n) {
    return below(r, n) == 0;
}

static void pass_time(struct run *r) {
    int64_t us = (int64_t)below(r, 4000);
    wall_us += us;
    monotonic_us += us;
}

// Steps

static void append_some(struct run *r) {
    struct call_append list[BATCH];
    size_t count = 1 + below(r, BATCH), made = 0;
    for (size_t i = 0; i < count; i++) {
        bool again = r->ledger.count && one_in(r, 6);
        unsigned text = again ? 1 + (unsigned)below(r, r->ledger.count) : 0;
        if (again && !r->ledger.texts[text].has_token) text = 0;
        unsigned video = (unsigned)below(r, LEDGER_VIDEOS);
        if (!text) text = ledger_add(&r->ledger, video < 3 ? 0 : video, one_in(r, 2)); // one is hot
        if (!text) break;
        const struct ledger_text *t = &r->ledger.texts[text];
        list[made++] = (struct call_append){.video = t->video, .text = text, .has_token = t->has_token};
    }
    call_appends(r->store, list, made);
    if (vfs_disk_is_dead(r->disk) && !r->kind->answers_early) return;
    for (size_t i = 0; i < made; i++)
        if (list[i].status == ENGINE_OK)
            ledger_answered(&r->ledger, list[i].text, list[i].at, list[i].repeated);
}

static void assign_one(struct run *r) {
    unsigned video = (unsigned)below(r, LEDGER_VIDEOS), reader = 1 + (unsigned)below(r, 9), found;
    if (call_assign(r->store, video, reader, &found) != ENGINE_OK || vfs_disk_is_dead(r->disk)) return;
    if (r->mapped[video] && r->mapped[video] != found)
        ledger_wrong(&r->ledger, "video %u was mapped to %u, and now to %u", video, r->mapped[video], found);
    r->mapped[video] = found;
}

static void count_one(struct run *r) {
    uint64_t value;
    if (call_count(r->store, &value) != ENGINE_OK || vfs_disk_is_dead(r->disk)) return;
    if (r->counted && value + 1 <= r->counted)
        ledger_wrong(&r->ledger, "the counter gave %u again", (unsigned)value);
    r->counted = value + 1;
}

// As the thread of the write-ahead log does, with a connection of its own.
static void copy_log(struct run *r) {
    sqlite3 *db;
    int code = sqlite3_open_v2(DATABASE, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) code = sqlite3_exec(db, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL);
    if (code == SQLITE_OK) sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db);
    (void)r;
}

static void back_up(struct run *r) {
    struct embedded_contents contents;
    char why[512];
    struct ledger *l = &r->ledger;
    if (!embedded_backup(FOLDER, BACKUP, true, NULL, &contents, why, sizeof why)) {
        if (!vfs_disk_is_dead(r->disk)) ledger_wrong(l, "backup: %s", why);
        for (unsigned i = 1; i <= l->count; i++) l->texts[i].in_backup &= !l->texts[i].lost; // old or new
        return;
    }
    r->has_backup = true;
    for (unsigned i = 1; i <= l->count; i++)
        l->texts[i].in_backup = l->texts[i].answered && !l->texts[i].lost;
}

static void step(struct run *r) {
    pass_time(r);
    switch (below(r, r->kind->restores ? 11 : 10)) {
    case 0: sweep_slice(r->store, below(r, 100)); break;
    case 1: copy_log(r); break;
    case 2: sqlite3_wal_checkpoint_v2(r->store->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL); break;
    case 3: assign_one(r); break;
    case 4: count_one(r); break;
    case 10: back_up(r); break;
    default: append_some(r);
    }
}

// Opening and comparing

static void forget_state(struct run *r) {
    memset(r->mapped, 0, sizeof r->mapped);
    r->counted = 0;
}

static void on_problem(void *arg, const char *sentence) {
    ledger_wrong(arg, "%s", sentence);
}

static void check_file(struct run *r, const char *path) {
    struct embedded_contents contents;
    char why[512];
    if (!embedded_check(path, NULL, on_problem, &r->ledger, &contents, why, sizeof why))
        ledger_wrong(&r->ledger, "check: %s", why);
}

static void compare_mappings(struct run *r) {
    for (unsigned i = 0; i < LEDGER_VIDEOS; i++) {
        unsigned found;
        if (!r->mapped[i]) continue;
        call_lookup(r->store, i, &found);
        if (found != r->mapped[i])
            ledger_wrong(&r->ledger, "video %u was mapped to %u, and is now to %u", i, r->mapped[i], found);
    }
}

// A restore that was cut off has happened or not: nothing between.
static void compare_after_restore(struct run *r) {
    struct disk_file file;
    bool happened = disk_look_up(DATABASE, &file) || file.inode != r->replaced;
    forget_state(r);
    ledger_compare(&r->ledger, r->store, happened ? LEDGER_BACKUP : r->must);
}

static void compare(struct run *r) {
    check_file(r, DATABASE);
    if (r->has_backup) check_file(r, BACKUP);
    if (r->maybe_restored)
        compare_after_restore(r);
    else
        ledger_compare(&r->ledger, r->store, r->must);
    if (r->must != LEDGER_ALL) forget_state(r);
    compare_mappings(r);
    r->must = LEDGER_ALL;
    r->maybe_restored = false;
}

static bool open_store(struct run *r) {
    char why[512];
    r->store = store_open(&r->config, why, sizeof why);
    if (!r->store && !vfs_disk_is_dead(r->disk) && !r->kind->faults)
        ledger_wrong(&r->ledger, "cannot be opened: %s", why);
    return r->store != NULL;
}

// A viewer, or a comment API, comes back with the highest number that it has seen of a video: if it is lost,
// an epoch above it begins.
static void return_of_viewers(struct run *r) {
    for (unsigned i = 1; i <= r->ledger.count; i++) {
        const struct ledger_text *t = &r->ledger.texts[i];
        struct engine_head head;
        if (!t->answered || !t->lost || !one_in(r, 8)) continue;
        if (call_head(r->store, t->video, t->at, &head) != ENGINE_OK) return;
        if (position_compare(head.at, t->at) <= 0)
            ledger_wrong(&r->ledger,
                         "number %llu-%u of video %u is lost, and not announced: the head is %llu-%u",
                         (unsigned long long)t->at.epoch, (unsigned)t->at.seq, t->video,
                         (unsigned long long)head.at.epoch, (unsigned)head.at.seq);
    }
}

// Endings

static void power_cut(struct run *r) {
    cuts++;
    vfs_disk_restart(r->disk, true);
    if (!r->kind->durable && r->must == LEDGER_ALL) r->must = LEDGER_OLDEST;
    if (!r->kind->clock_is_set) return;
    switch (below(r, 4)) {
    case 0: wall_us -= (int64_t)below(r, 600) * 1000000; break; // a clock that was set back
    case 1: wall_us -= (int64_t)below(r, 40000); break;         // or that begins with the last time it stored
    default: break;
    }
}

static void end_life(struct run *r) {
    bool dead = vfs_disk_is_dead(r->disk), closes = !dead && one_in(r, 3);
    if (!closes) vfs_disk_die(r->disk);
    if (r->store) store_close(r->store);
    r->store = NULL;
    dead = vfs_disk_is_dead(r->disk);
    if (dead && one_in(r, 3))
        vfs_disk_restart(r->disk, false);
    else if (dead || one_in(r, 2))
        power_cut(r);
}

// Names are few among the calls of a restore, and what matters most: it is cut off between any two of them.
static void on_call(void *arg, enum vfs_call call) {
    struct run *r = arg;
    if ((call == VFS_NAMES || call == VFS_SYNC) && r->names_left && !--r->names_left) vfs_disk_die(r->disk);
}

static void draw_death_in_restore(struct run *r) {
    if (one_in(r, 3)) return;
    if (one_in(r, 3))
        vfs_disk_die_after(r->disk, 1 + below(r, 200));
    else
        r->names_left = 1 + (unsigned)below(r, 24);
}

// Returns the number of a file of at least that size, or 0.
static uint64_t inode_at(const char *folder, const char *name, int64_t size) {
    char path[EMBEDDED_PATH_SIZE + 32];
    struct disk_file file;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return *folder && !disk_look_up(path, &file) && file.size >= size ? file.inode : 0;
}

// What was in the folder is there or aside: under some name, in a folder that exists. When the database is
// aside and the restore has happened, its write-ahead log is aside, too.
static void compare_aside(struct run *r, bool done) {
    if (inode_at(FOLDER, "chorus.db", 0) == r->replaced) return;
    if (inode_at(r->aside, "chorus.db", 0) != r->replaced)
        ledger_wrong(&r->ledger, "what a restore replaces is neither in its place nor aside");
    if (!r->replaced_log || inode_at(r->aside, "chorus.db-wal", 0) == r->replaced_log) return;
    if (done || inode_at(FOLDER, "chorus.db-wal", 0) != r->replaced_log)
        ledger_wrong(&r->ledger, "the write-ahead log of what a restore replaces is not with it");
}

static void restore(struct run *r) {
    struct embedded_contents contents;
    char why[512], aside[EMBEDDED_PATH_SIZE];
    bool repeated = r->maybe_restored;
    if (!repeated) {
        r->replaced = inode_at(FOLDER, "chorus.db", 1);
        r->replaced_log = inode_at(FOLDER, "chorus.db-wal", 1);
        *r->aside = 0;
    }
    draw_death_in_restore(r);
    bool ok = embedded_restore(BACKUP, FOLDER, true, NULL, &contents, aside, why, sizeof why);
    r->names_left = 0;
    vfs_disk_die_after(r->disk, 0);
    if (!ok && !vfs_disk_is_dead(r->disk) && !r->kind->faults) ledger_wrong(&r->ledger, "restore: %s", why);
    if (ok) r->must = LEDGER_BACKUP;
    r->maybe_restored = !ok;
    if (vfs_disk_is_dead(r->disk)) {
        if (one_in(r, 3))
            vfs_disk_restart(r->disk, false);
        else
            power_cut(r);
    }
    if (*aside) snprintf(r->aside, sizeof r->aside, "%s", aside);
    if (r->replaced) compare_aside(r, ok);
}

// Returns whether a restore was cut off when the database had been moved away: it is to be repeated.
static bool must_finish_restore(struct run *r) {
    char why[512];
    struct store *s = store_open(&r->config, why, sizeof why);
    if (!s) return strstr(why, "a restore into ");
    vfs_disk_die(r->disk); // a kill
    store_close(s);
    vfs_disk_restart(r->disk, false);
    return false;
}

static void restore_some_time(struct run *r) {
    if (!r->has_backup || !one_in(r, 3)) return;
    restore(r);
    while (r->maybe_restored && !*r->ledger.wrong && must_finish_restore(r)) restore(r);
}

static void draw_faults(struct run *r) {
    struct vfs_faults faults = {.ignores_sync = r->kind->ignores_sync};
    if (r->kind->faults) {
        faults.write = one_in(r, 2) ? 10000 : 0;
        faults.sync = one_in(r, 2) ? 50000 : 0;
        faults.sync_forgets = r->kind->durable && one_in(r, 2);
        if (r->kind->fails_often) faults = (struct vfs_faults){.sync = 60000, .sync_forgets = true};
        faults.room_bytes = one_in(r, 3) ? 200000 + below(r, 300000) : 0;
    }
    vfs_disk_set_faults(r->disk, &faults);
}

static void draw_death(struct run *r, bool is_last) {
    bool dies = !is_last && !one_in(r, 4);
    vfs_disk_die_after(r->disk, dies ? 1 + below(r, one_in(r, 3) ? 12 : 200) : 0);
}

// It does not die while it is compared: what a dead disk cannot read is not lost.
static void live(struct run *r, bool is_last) {
    draw_faults(r);
    if (is_last) vfs_disk_set_faults(r->disk, &(struct vfs_faults){0});
    draw_death(r, is_last);
    bool opened = open_store(r);
    if (opened && !vfs_disk_is_dead(r->disk)) {
        vfs_disk_die_after(r->disk, 0);
        compare(r);
        draw_death(r, is_last);
        if (one_in(r, 2)) return_of_viewers(r);
    }
    for (unsigned i = 0; opened && i < STEPS && !vfs_disk_is_dead(r->disk); i++) step(r);
    end_life(r);
    if (!is_last) restore_some_time(r);
}

// Runs

static void put_old_database(struct run *r) {
    static char bytes[1 << 18];
    FILE *file = fopen(FIXTURES "/schema-1.db", "r");
    assert_non_null(file);
    vfs_disk_put(r->disk, FOLDER, NULL, 0);
    vfs_disk_put(r->disk, DATABASE, bytes, fread(bytes, 1, sizeof bytes, file));
    fclose(file);
}

// Returns whether nothing was wrong.
static bool run_seed(const struct kind *kind, uint64_t seed, char *wrong, size_t size) {
    struct run *r = calloc(1, sizeof *r);
    assert_non_null(r);
    wall_us = WALL_US;
    monotonic_us = MONOTONIC_US;
    r->kind = kind;
    r->chance.state = seed * 2654435761u + (uint64_t)kind->letter;
    r->random.state = ~r->chance.state;
    random_of_run = &r->random;
    r->disk = vfs_disk_new("/disk", below(r, UINT64_MAX));
    vfs_disk_on_call(r->disk, on_call, r);
    r->ledger.log_entries = one_in(r, 2) ? 40 : 10000;
    r->config = (struct embedded_config){
        .folder = FOLDER,
        .durable = kind->durable,
        .limits = {.log_entries = r->ledger.log_entries, .log_age_ms = (int64_t)3600 * 1000 * 1000}};
    if (kind->old_folder) put_old_database(r);
    call_answers_early = kind->answers_early;
    for (int i = 0; i < LIVES && !*r->ledger.wrong; i++) live(r, i == LIVES - 1);
    call_answers_early = false;
    snprintf(wrong, size, "%s", r->ledger.wrong);
    vfs_disk_free(r->disk);
    ledger_release(&r->ledger);
    free(r);
    return !*wrong;
}

static const struct kind *kind_of(char letter) {
    const struct kind *k = kinds;
    while (k->letter != letter) k++;
    return k;
}

// The address sanitizer looks for other mistakes, which the first runs make as well as the later ones; CI's
// other build has them all.
static unsigned enough(unsigned runs) {
#ifdef __SANITIZE_ADDRESS__
    if (!getenv("CHORUS_FULL")) return runs / 4;
#endif
    return runs;
}

static void expect_nothing(char letter, unsigned wanted) {
    char wrong[256];
    unsigned long before = cuts;
    const unsigned runs = enough(wanted);
    for (uint64_t seed = 1; seed <= runs; seed++)
        if (!run_seed(kind_of(letter), seed, wrong, sizeof wrong))
            fail_msg("test_power_cut %c %u: %s", letter, (unsigned)seed, wrong);
    assert_true(cuts - before >= runs); // several in most of the runs
}

static void expect_something(char letter, unsigned runs) {
    char wrong[256];
    uint64_t seed = 1;
    while (seed <= runs && run_seed(kind_of(letter), seed, wrong, sizeof wrong)) seed++;
    assert_true(seed <= runs);
}

static void with_durable_a_power_cut_loses_nothing_acknowledged(void **state) {
    (void)state;
    expect_nothing('d', 150);
}

static void without_durable_a_power_cut_loses_the_newest_and_no_number_is_used_twice(void **state) {
    (void)state;
    expect_nothing('n', 150);
}

static void a_failing_disk_loses_nothing_acknowledged_with_durable(void **state) {
    (void)state;
    expect_nothing('f', 80);
}

static void a_failed_sync_before_a_kill_loses_nothing_acknowledged_later(void **state) {
    (void)state;
    expect_nothing('k', 60);
}

static void a_failing_disk_does_not_damage_the_file(void **state) {
    (void)state;
    expect_nothing('g', 80);
}

static void a_restore_that_is_cut_off_has_happened_or_not(void **state) {
    (void)state;
    expect_nothing('r', 100);
    expect_nothing('s', 100);
}

static void an_old_folder_survives_a_power_cut_at_its_first_start(void **state) {
    (void)state;
    expect_nothing('o', 40);
    expect_nothing('p', 40);
}

static void a_disk_that_ignores_syncs_is_found_out(void **state) {
    (void)state;
    expect_something('x', 20);
}

static void an_answer_before_the_commit_is_found_out(void **state) {
    (void)state;
    expect_something('y', 20);
}

static int run_by_hand(char letter, uint64_t first, unsigned count) {
    char wrong[256];
    unsigned found = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        if (run_seed(kind_of(letter), seed, wrong, sizeof wrong)) continue;
        printf("%c %u: %s\n", letter, (unsigned)seed, wrong);
        found++;
    }
    printf("%u runs, %lu power cuts, %u findings\n", count, cuts, found);
    return found != 0;
}

int main(int argc, char **argv) {
    vfs_install(NULL);
    if (argc > 2)
        return run_by_hand(*argv[1], strtoull(argv[2], NULL, 10),
                           argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_durable_a_power_cut_loses_nothing_acknowledged),
        cmocka_unit_test(without_durable_a_power_cut_loses_the_newest_and_no_number_is_used_twice),
        cmocka_unit_test(a_failing_disk_loses_nothing_acknowledged_with_durable),
        cmocka_unit_test(a_failed_sync_before_a_kill_loses_nothing_acknowledged_later),
        cmocka_unit_test(a_failing_disk_does_not_damage_the_file),
        cmocka_unit_test(a_restore_that_is_cut_off_has_happened_or_not),
        cmocka_unit_test(an_old_folder_survives_a_power_cut_at_its_first_start),
        cmocka_unit_test(a_disk_that_ignores_syncs_is_found_out),
        cmocka_unit_test(an_answer_before_the_commit_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
