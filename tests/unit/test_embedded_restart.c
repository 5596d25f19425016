// What an engine finds when it opens a folder: what an earlier one left, also one that was killed, and what
// it refuses.
#include "embedded_world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;
static const char *const reader_a = "http://127.0.0.1:4001";

// Epochs

static void a_new_run_starts_a_new_epoch(void **state) {
    struct world *w = *state;
    world_post_many(w, "v", 5);
    struct position old = world_head(w, "v").at;
    world_reopen(w);
    assert_int_equal(position_compare(world_head(w, "v").at, old), 0); // asking changes nothing
    struct world_append a = world_append(w, "v", "{\"comment\":\"x\"}", NULL);
    assert_true(a.at.epoch > old.epoch);
    assert_int_equal(a.at.seq, 1);
    assert_int_equal(position_compare(a.prev, old), 0);
    a = world_append(w, "v", "{\"comment\":\"y\"}", NULL);
    assert_int_equal(a.at.seq, 2);
    assert_false(position_is_set(a.prev));
}

static void an_epoch_without_entries_is_continued_by_the_next(void **state) {
    struct world *w = *state;
    struct position old = world_head(w, "v").at;
    world_reopen(w);
    assert_int_equal(position_compare(world_head(w, "v").at, old), 0);
    struct world_append a = world_append(w, "v", "{\"comment\":\"x\"}", NULL);
    assert_true(a.at.epoch > old.epoch);
    assert_int_equal(a.at.seq, 1);
    assert_int_equal(position_compare(a.prev, old), 0);
    assert_int_equal(a.prev.seq, 0);
}

static void a_range_crosses_epochs(void **state) {
    struct world *w = *state;
    struct position heads[4];
    for (int run = 0; run < 4; run++) {
        if (run) world_reopen(w);
        world_post_many(w, "v", 5);
        heads[run] = world_head(w, "v").at;
    }
    const struct world_range *r = world_range(w, "v", (struct position){heads[1].epoch, 2}, 100);
    assert_int_equal(r->count, 3 + 5 + 5);
    assert_int_equal(r->at[0].epoch, heads[1].epoch);
    assert_int_equal(r->at[0].seq, 3);
    assert_int_equal(position_compare(r->prev[3], heads[1]), 0);
    assert_int_equal(position_compare(r->prev[8], heads[2]), 0);
    assert_int_equal(position_compare(r->at[12], heads[3]), 0);
    // A position beyond the end of its epoch is followed by the next epoch.
    r = world_range(w, "v", (struct position){heads[1].epoch, 99}, 100);
    assert_int_equal(r->count, 10);
    assert_int_equal(r->at[0].epoch, heads[2].epoch);
}

static void an_epoch_is_greater_also_when_the_clock_went_back(void **state) {
    struct world *w = *state;
    world_post(w, "v", 1);
    world_close(w);
    world_sql(w, "UPDATE video SET epoch = 9000000000000");
    world_open(w);
    struct world_append a = world_append(w, "v", "{\"comment\":\"x\"}", NULL);
    assert_int_equal(a.at.epoch, 9000000000001);
    assert_int_equal(a.prev.epoch, 9000000000000);
}

static void everything_is_there_again(void **state) {
    struct world *w = *state;
    const struct engine_lease lease = {.reader_url = reader_a,
                                       .public_url = "https://public",
                                       .instance_id = "reader-1",
                                       .generation = 3,
                                       .viewers = 5};
    struct world_append a = world_append(w, "v", "{\"comment\":\"x\"}", "t");
    world_post_many(w, "w", 12);
    world_assign(w, "v", reader_a);
    world_assign(w, "mapped", reader_a);
    world_renew(w, &lease, 60000);
    world_counter_next(w, "n");
    world_reopen(w);
    struct world_append again = world_append(w, "v", "{\"comment\":\"x\"}", "t");
    assert_string_equal(again.json, a.json);
    assert_int_equal(position_compare(again.at, a.at), 0);
    assert_string_equal(world_lookup(w, "v").reader, reader_a);
    assert_string_equal(world_leases(w).text, "http://127.0.0.1:4001 https://public reader-1 3 5 expired;");
    assert_int_equal(world_counter_next(w, "n"), 1);
    const struct world_overview *o = world_overview(w);
    assert_int_equal(o->comments, 13);
    assert_int_equal(o->mappings, 2);
    assert_int_equal(o->newest_count, ENGINE_NEWEST);
    assert_string_equal(o->mapped[0], "mapped http://127.0.0.1:4001");
}

static void many_videos_are_there_again(void **state) {
    struct world *w = *state;
    enum { MANY = 3000 };
    static struct world_append all[MANY];
    char video[16];
    for (int i = 0; i < MANY; i++) {
        snprintf(video, sizeof video, "v%d", i);
        world_begin_append(w, &all[i], video, "{\"comment\":\"x\"}", NULL);
    }
    world_wait(w);
    world_reopen(w);
    for (int i = 0; i < MANY; i += 100) {
        snprintf(video, sizeof video, "v%d", i);
        assert_int_equal(position_compare(world_head(w, video).at, all[i].at), 0);
        assert_int_equal(world_range(w, video, (struct position){0}, 10)->count, 1);
    }
}

// Killed

enum { KILLED_VIDEOS = 3 };

// The child appends without end, 32 at a time, and prints which are stored: `<video>
// <position>`.
static struct {
    struct world *world;
    unsigned sent;
} child;

static const char *const killed_videos[KILLED_VIDEOS] = {"0", "1", "2"};

static void child_append(void);

static void child_on_append(void *arg, enum engine_status status, const struct engine_entry *e,
                            const struct engine_first *first) {
    (void)first;
    char at[POSITION_TEXT_SIZE];
    if (status != ENGINE_OK) _exit(3);
    position_format(e->at, at);
    dprintf(STDOUT_FILENO, "%s %s\n", (const char *)arg, at);
    child_append();
}

static void child_append(void) {
    const char *video = killed_videos[child.sent++ % KILLED_VIDEOS];
    const struct engine_append what = world_comment(video, "{\"a\":1}");
    child.world->ops->append(child.world->engine, &what, child_on_append, (void *)video);
}

static int run_child(const char *folder) {
    static struct world w;
    w.loop = loop_new();
    w.config =
        (struct embedded_config){.folder = folder, .limits = {.log_entries = 1000000, .log_age_ms = 3600000}};
    if (!world_try_open(&w)) return 2;
    child.world = &w;
    for (int i = 0; i < 32; i++) child_append();
    return loop_run(w.loop);
}

static pid_t start_child(const char *folder, int *from) {
    int ends[2];
    pid_t pid;
    char *const arguments[] = {"test_embedded_restart", "child", (char *)folder, NULL};
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *from = ends[0];
    return pid;
}

struct acknowledged {
    unsigned count;
    struct position last[KILLED_VIDEOS];
};

// Reads enough lines of the child, kills it, and reads the rest.
static struct acknowledged kill_child_after(const char *folder, unsigned enough) {
    struct acknowledged a = {0};
    int from, status;
    char line[128];
    pid_t pid = start_child(folder, &from);
    FILE *lines = fdopen(from, "r");
    while (fgets(line, sizeof line, lines)) {
        assert_in_range(line[0], '0', '0' + KILLED_VIDEOS - 1);
        assert_true(position_parse(line + 2, strcspn(line + 2, "\n"), &a.last[line[0] - '0']));
        if (++a.count == enough) kill(pid, SIGKILL);
    }
    fclose(lines);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_true(a.count >= enough);
    return a;
}

static void expect_all_acknowledged(struct world *w, const struct acknowledged *a) {
    for (int i = 0; i < KILLED_VIDEOS; i++) {
        const char *video = killed_videos[i];
        struct position head = world_head(w, video).at;
        assert_int_equal(head.epoch, a->last[i].epoch);
        assert_true(head.seq >= a->last[i].seq);
        const struct world_range *r = world_range(w, video, (struct position){head.epoch, 0}, WORLD_RANGE);
        assert_int_equal(r->count, head.seq < WORLD_RANGE ? head.seq : WORLD_RANGE);
        for (size_t k = 0; k < r->count; k++) assert_int_equal(r->at[k].seq, k + 1);
    }
}

static void a_kill_loses_nothing_that_was_answered(void **state) {
    struct world *w = *state;
    struct position before[KILLED_VIDEOS] = {{0}};
    uint64_t comments = 0;
    w->config.limits.log_entries = 1000000;
    for (unsigned round = 0; round < 8; round++) {
        struct acknowledged a = kill_child_after(w->folder, 50 + round * 211);
        world_open(w);
        expect_all_acknowledged(w, &a);
        for (int i = 0; i < KILLED_VIDEOS; i++) {
            assert_true(a.last[i].epoch > before[i].epoch);
            before[i] = a.last[i];
        }
        assert_true(world_overview(w)->comments >= comments + a.count);
        comments = world_overview(w)->comments;
        world_close(w);
    }
    assert_int_equal(world_sql_number(w, "SELECT count(*) FROM entry"), (int64_t)comments);
    assert_int_equal(
        world_sql_number(w, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
}

// What is made, and what is refused

static unsigned mode_of(const char *path) {
    struct stat s;
    assert_int_equal(stat(path, &s), 0);
    return s.st_mode & 0777;
}

static void only_the_user_can_read_what_is_made(void **state) {
    struct world *w = *state;
    char folder[80], path[128];
    snprintf(folder, sizeof folder, "%s/made", w->folder);
    w->config.folder = folder;
    mode_t before = umask(0);
    world_open(w);
    umask(before);
    world_post(w, "v", 1);
    assert_int_equal(mode_of(folder), 0700);
    const char *const names[] = {"chorus.db", "chorus.db-wal", "chorus.db-shm", "chorus.lock"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        assert_int_equal(mode_of(path), 0600);
    }
}

static void expect_refusal(struct world *w, const char *names, const char *advice) {
    assert_false(world_try_open(w));
    if (!strstr(w->why, names) || !strstr(w->why, advice) || strchr(w->why, '\n'))
        fail_msg("the sentence is: %s", w->why);
}

static void a_folder_in_use_is_refused(void **state) {
    struct world *w = *state;
    world_open(w);
    struct engine *first = w->engine;
    char pid[32];
    snprintf(pid, sizeof pid, "pid %d", (int)getpid());
    expect_refusal(w, w->path, "in use by another process");
    assert_non_null(strstr(w->why, pid));
    w->engine = first;
    w->ops = first->ops;
    world_post(w, "v", 1); // undisturbed
    world_reopen(w);
}

static void a_folder_in_use_by_another_process_is_refused(void **state) {
    struct world *w = *state;
    int from, status;
    char line[64];
    pid_t pid = start_child(w->folder, &from);
    FILE *lines = fdopen(from, "r");
    assert_non_null(fgets(line, sizeof line, lines));
    expect_refusal(w, w->path, "in use by another process");
    kill(pid, SIGKILL);
    fclose(lines);
    waitpid(pid, &status, 0);
    world_open(w);
}

static void a_folder_that_cannot_be_made_is_refused(void **state) {
    struct world *w = *state;
    w->config.folder = "/tmp/chorus-no-such-parent/folder";
    expect_refusal(w, "/tmp/chorus-no-such-parent/folder", "choose another");
    w->config.folder = "/dev/null";
    expect_refusal(w, "/dev/null", "choose another");
    if (geteuid() == 0) return; // may write everywhere
    w->config.folder = w->folder;
    assert_int_equal(chmod(w->folder, 0500), 0);
    expect_refusal(w, w->folder, "let this user write there");
    assert_int_equal(chmod(w->folder, 0700), 0);
}

static void a_newer_file_is_refused_and_left_alone(void **state) {
    struct world *w = *state;
    world_open(w);
    world_post(w, "v", 1);
    world_close(w);
    world_sql(w, "PRAGMA user_version = 3");
    expect_refusal(w, w->path, "newer Chorus");
    assert_int_equal(world_sql_number(w, "PRAGMA user_version"), 3);
    assert_int_equal(world_sql_number(w, "SELECT count(*) FROM entry"), 1);
}

static void another_programs_file_is_refused(void **state) {
    struct world *w = *state;
    world_sql(w, "CREATE TABLE song(name TEXT)");
    expect_refusal(w, w->path, "another program");
    assert_int_equal(world_sql_number(w, "SELECT count(*) FROM sqlite_schema"), 1);
}

static void put_file(struct world *w, const void *bytes, size_t len) {
    FILE *f = fopen(w->path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    fclose(f);
}

static void what_is_not_a_database_is_refused(void **state) {
    struct world *w = *state;
    static char bytes[20000];
    put_file(w, "hello", 5);
    expect_refusal(w, w->path, "damaged or not a Chorus database");
    memset(bytes, 'x', sizeof bytes);
    put_file(w, bytes, sizeof bytes);
    expect_refusal(w, w->path, "damaged or not a Chorus database");
}

static void a_damaged_file_is_refused(void **state) {
    struct world *w = *state;
    world_open(w);
    world_post_many(w, "v", 100);
    world_close(w);
    assert_int_equal(truncate(w->path, 20000), 0);
    expect_refusal(w, w->path, "damaged");
}

static void a_file_without_one_of_its_tables_is_refused(void **state) {
    struct world *w = *state;
    world_open(w);
    world_close(w);
    world_sql(w, "DROP TABLE mapping");
    expect_refusal(w, w->path, "damaged");
    assert_non_null(strstr(w->why, "mapping"));
}

static void a_file_without_its_totals_is_refused(void **state) {
    struct world *w = *state;
    world_open(w);
    world_close(w);
    world_sql(w, "DELETE FROM totals");
    expect_refusal(w, w->path, "damaged");
}

static void a_file_locked_by_another_program_is_refused(void **state) {
    struct world *w = *state;
    world_open(w);
    world_close(w);
    sqlite3 *db;
    sqlite3_open(w->path, &db);
    sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE", NULL, NULL, NULL);
    expect_refusal(w, w->path, "locked by another program");
    sqlite3_close(db);
    world_open(w);
}

static void an_empty_file_becomes_a_store(void **state) {
    struct world *w = *state;
    put_file(w, "", 0);
    world_open(w);
    world_post(w, "v", 1);
    world_close(w);
    assert_int_equal(remove(w->path), 0);
    world_sql(w, "PRAGMA journal_mode = WAL"); // as after a kill while it was made
    world_open(w);
    world_post(w, "v", 1);
}

static void damage_found_later_is_said_and_stays(void **state) {
    struct world *w = *state;
    const char *why = NULL;
    w->config.limits.log_entries = 100000;
    world_open(w);
    world_post_many(w, "v", 5000);
    world_close(w);
    int64_t pages = world_sql_number(w, "PRAGMA page_count");
    int fd = open(w->path, O_WRONLY);
    char junk[4096];
    memset(junk, 0xa5, sizeof junk);
    for (int64_t page = 40; page < pages - 3; page++)
        assert_int_equal(pwrite(fd, junk, 4096, page * 4096), 4096);
    close(fd);
    world_open(w);
    // What is left of the chain of entries is given; the reader announces the rest as a gap.
    const struct world_range *r = world_range(w, "v", (struct position){0}, WORLD_RANGE);
    assert_int_equal(r->status, ENGINE_OK);
    assert_int_equal(r->head.seq, 5000);
    assert_true(r->count < 1000);
    assert_false(w->ops->ready(w->engine, &why));
    assert_non_null(strstr(why, w->path));
    assert_non_null(strstr(why, "damaged"));
    world_assign(w, "fine", reader_a);
    assert_false(w->ops->ready(w->engine, &why));
}

int main(int count, char **arguments) {
    if (count == 3 && strcmp(arguments[1], "child") == 0) return run_child(arguments[2]);
#define TEST(name)      cmocka_unit_test_setup_teardown(name, world_make, world_free)
#define TEST_OPEN(name) cmocka_unit_test_setup_teardown(name, world_make_open, world_free)
    const struct CMUnitTest tests[] = {
        TEST_OPEN(a_new_run_starts_a_new_epoch),
        TEST_OPEN(an_epoch_without_entries_is_continued_by_the_next),
        TEST_OPEN(a_range_crosses_epochs),
        TEST_OPEN(an_epoch_is_greater_also_when_the_clock_went_back),
        TEST_OPEN(everything_is_there_again),
        TEST_OPEN(many_videos_are_there_again),
        TEST(a_kill_loses_nothing_that_was_answered),
        TEST(only_the_user_can_read_what_is_made),
        TEST(a_folder_in_use_is_refused),
        TEST(a_folder_in_use_by_another_process_is_refused),
        TEST(a_folder_that_cannot_be_made_is_refused),
        TEST(a_newer_file_is_refused_and_left_alone),
        TEST(another_programs_file_is_refused),
        TEST(what_is_not_a_database_is_refused),
        TEST(a_damaged_file_is_refused),
        TEST(a_file_without_one_of_its_tables_is_refused),
        TEST(a_file_without_its_totals_is_refused),
        TEST(a_file_locked_by_another_program_is_refused),
        TEST(an_empty_file_becomes_a_store),
        TEST(damage_found_later_is_said_and_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
