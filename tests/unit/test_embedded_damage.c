// A database file that is damaged, or not where it was: nothing more is stored, what is sound is read, and
// what is damaged is never given out.
#include "embedded_world.h"

#include <fcntl.h>
#include <sys/stat.h>

static const char *const reader_a = "http://127.0.0.1:4001";

static bool is_ready(struct world *w, const char *reason) {
    const char *why = NULL;
    bool ready = w->ops->ready(w->engine, &why);
    if (!ready && reason) {
        assert_non_null(strstr(why, w->path));
        assert_non_null(strstr(why, reason));
    }
    return ready;
}

static void expect_lost(struct world *w, const char *reason) {
    struct world_append a = world_append(w, "v", "{\"a\":1}", "t1");
    assert_int_equal(a.status, ENGINE_UNAVAILABLE);
    assert_int_equal(world_append(w, "new", "{\"a\":1}", NULL).status, ENGINE_UNAVAILABLE);
    assert_int_equal(world_assign(w, "new", reader_a).status, ENGINE_UNAVAILABLE);
    assert_false(is_ready(w, reason));
}

// Posts 1 to 9 and a token's, leaves the file, and has a statement change it.
static struct position make_damaged(struct world *w, const char *sql) {
    struct position at = {0};
    world_open(w);
    for (unsigned i = 1; i <= 9; i++) at = world_post(w, "v", i);
    world_append(w, "v", "{\"comment\":\"10\"}", "t1");
    world_assign(w, "v", reader_a);
    world_close(w);
    world_sql(w, sql);
    return at;
}

#define DAMAGE(set) "UPDATE entry SET " set " WHERE n = 5"
// As version 1 kept it: with the position in front.
#define WHOLE                                                                                                \
    "UPDATE entry SET checksum = NULL, body = '{\"id\":\"' || epoch || '-' || seq || '\",' || substr(body, 2);"
static const char *const damages[] = {
    DAMAGE("body = replace(body, '5\"', char(10) || '5\"')"),
    DAMAGE("body = replace(body, '5\"', char(13) || '5\"')"),
    DAMAGE("body = body || char(10)"),
    DAMAGE("body = char(10) || body"),
    DAMAGE("body = replace(body, ':', char(10) || ':')"),
    DAMAGE("body = replace(body, '\"5', '5')"),
    DAMAGE("body = substr(body, 1, length(body) - 1)"),
    DAMAGE("body = CAST(replace(body, '5\"', CAST(X'ff' AS TEXT) || '5\"') AS TEXT)"),
    DAMAGE("body = CAST(replace(body, '5\"', CAST(X'c3' AS TEXT) || '5\"') AS TEXT)"),
    DAMAGE("body = replace(body, '5\"', CAST(X'00' AS TEXT) || '5\"')"),
    DAMAGE("body = ''"),
    DAMAGE("body = '{}'"),
    DAMAGE("body = '[]'"),
    DAMAGE("kind = -1"),
    DAMAGE("kind = 0"),
    DAMAGE("seq = 50"),
    DAMAGE("seq = -5"),
    DAMAGE("seq = 0"),
    DAMAGE("epoch = epoch + 1"),
    DAMAGE("epoch = -epoch"),
    DAMAGE("prev_epoch = 1, prev_seq = 1"),
    DAMAGE("video = 2"),
    DAMAGE("kind = 7"),
    DAMAGE("body = (SELECT body FROM entry WHERE n = 4)"),
    DAMAGE("body = replace(body, '5', '6')"),
    DAMAGE("body = replace(body, '\"comment\"', '\"comet\"')"),
    DAMAGE("checksum = checksum + 1"),
    DAMAGE("checksum = NULL"),
    WHOLE DAMAGE("body = body || char(10)"),
    WHOLE DAMAGE("body = replace(body, '-5\"', '-6\"')"),
    WHOLE DAMAGE("body = replace(body, '\"id\"', '\"it\"')"),
    WHOLE DAMAGE("body = (SELECT body FROM entry WHERE n = 4)"),
    WHOLE DAMAGE("body = ''"),
    WHOLE DAMAGE("kind = 7"),
    WHOLE DAMAGE("prev_epoch = 1, prev_seq = 1"),
};

static void expect_all_but_the_fifth(struct world *w) {
    const struct world_range *r = world_range(w, "v", (struct position){0}, WORLD_RANGE);
    assert_int_equal(r->status, ENGINE_OK);
    assert_false(r->more);
    assert_int_equal(r->head.seq, 10);
    assert_int_equal(r->count, 9);
    for (size_t i = 0; i < r->count; i++) {
        char text[32];
        uint64_t seq = i < 4 ? i + 1 : i + 2;
        assert_int_equal(r->at[i].seq, seq);
        snprintf(text, sizeof text, "\"%d\"", (int)seq);
        assert_non_null(strstr(r->json[i], text));
    }
}

static void forget_all(struct world *w) {
    world_close(w);
    world_sql(w, "DELETE FROM entry; DELETE FROM video; DELETE FROM mapping; DELETE FROM token;"
                 "UPDATE totals SET entries = 0, comments = 0, videos = 0, mappings = 0");
}

static void a_damaged_row_is_left_out_and_nothing_is_stored_any_more(void **state) {
    struct world *w = *state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        print_message("%s\n", damages[i]);
        make_damaged(w, damages[i]);
        world_open(w);
        assert_true(is_ready(w, NULL)); // not known yet
        expect_all_but_the_fifth(w);
        expect_lost(w, "damaged");
        assert_string_equal(world_lookup(w, "v").reader, reader_a);
        expect_all_but_the_fifth(w);
        world_reopen(w); // now known from the start
        expect_lost(w, "damaged");
        expect_all_but_the_fifth(w);
        forget_all(w);
    }
}

static void a_damaged_row_among_the_newest_is_left_out(void **state) {
    struct world *w = *state;
    make_damaged(w, DAMAGE("body = body || char(10)"));
    world_open(w);
    const struct world_overview *o = world_overview(w);
    assert_int_equal(o->newest_count, 9);
    for (size_t i = 0; i < o->newest_count; i++) assert_null(strchr(o->newest[i], '\n'));
    expect_lost(w, "damaged");
}

static void a_damaged_answer_to_a_repeat_is_not_given(void **state) {
    struct world *w = *state;
    static const char *const repeats[] = {
        "UPDATE token SET seq = seq - 20", "UPDATE token SET seq = seq + 1",
        "UPDATE token SET epoch = -epoch",
        // as an earlier version kept it
        "DELETE FROM token; UPDATE entry SET body = body || char(10), token = 't1' WHERE n = 10"};
    for (size_t i = 0; i < sizeof repeats / sizeof *repeats; i++) {
        make_damaged(w, repeats[i]);
        world_open(w);
        assert_int_equal(world_append(w, "v", "{\"comment\":\"10\"}", "t1").status, ENGINE_UNAVAILABLE);
        expect_lost(w, "damaged");
        forget_all(w);
    }
}

static void a_damaged_mapping_is_not_given(void **state) {
    struct world *w = *state;
    make_damaged(w, "UPDATE mapping SET reader = reader || char(13, 10) || 'Set-Cookie: a'");
    world_open(w);
    struct world_mapping m = world_lookup(w, "v");
    assert_true(m.status != ENGINE_OK);
    expect_lost(w, "damaged");
}

static void a_damaged_position_is_not_counted_on_from(void **state) {
    struct world *w = *state;
    static const char *const positions[] = {"UPDATE video SET seq = -3", "UPDATE video SET epoch = -epoch",
                                            "UPDATE video SET newest = 1000", "UPDATE video SET newest = -1",
                                            "UPDATE video SET logged = -1"};
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
        make_damaged(w, positions[i]);
        world_open(w);
        expect_lost(w, "damaged");
        forget_all(w);
    }
}

static void a_damaged_lease_is_refused_at_the_start(void **state) {
    struct world *w = *state;
    const struct engine_lease lease = {
        .reader_url = reader_a, .instance_id = "reader-1", .generation = 1, .viewers = 0};
    world_open(w);
    world_renew(w, &lease, 60000);
    world_close(w);
    world_sql(w, "UPDATE lease SET reader = reader || char(10)");
    assert_false(world_try_open(w));
    assert_non_null(strstr(w->why, "damaged"));
}

static void chains_that_lead_nowhere_end(void **state) {
    struct world *w = *state;
    static const char *const chains[] = {DAMAGE("before = 5"), DAMAGE("before = 9"), DAMAGE("before = -1")};
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        make_damaged(w, chains[i]);
        world_open(w);
        const struct world_range *r = world_range(w, "v", (struct position){0}, WORLD_RANGE);
        assert_int_equal(r->status, ENGINE_OK);
        assert_in_range(r->count, 5, 6); // what lies in front cannot be found
        expect_lost(w, "damaged");
        forget_all(w);
    }
}

static void what_has_been_put_right_is_stored_to_again(void **state) {
    struct world *w = *state;
    make_damaged(w, DAMAGE("body = body || char(10)"));
    world_open(w);
    expect_all_but_the_fifth(w);
    expect_lost(w, "damaged");
    world_close(w);
    world_sql(w, "UPDATE video SET used_ms = used_ms + 1"); // another file, still damaged
    world_open(w);
    expect_lost(w, "damaged");
    world_close(w);
    world_sql(w, DAMAGE("body = trim(body, char(10))"));
    world_open(w);
    assert_true(is_ready(w, NULL));
    assert_int_equal(world_post(w, "v", 11).seq, 1);
    world_reopen(w);
    assert_true(is_ready(w, NULL));
}

static void a_new_file_in_its_place_is_stored_to(void **state) {
    struct world *w = *state;
    char away[96];
    make_damaged(w, DAMAGE("kind = 0"));
    world_open(w);
    expect_all_but_the_fifth(w);
    expect_lost(w, "damaged");
    world_close(w);
    const char *const endings[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char from[96];
        snprintf(from, sizeof from, "%s%s", w->path, endings[i]);
        snprintf(away, sizeof away, "%s.away%s", w->path, endings[i]);
        rename(from, away);
    }
    world_open(w);
    assert_true(is_ready(w, NULL));
    assert_int_equal(world_post(w, "v", 1).seq, 1);
}

static void put_file(const char *path, const void *bytes, size_t len) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

static void a_good_copy_in_its_place_is_stored_to(void **state) {
    struct world *w = *state;
    static char copy[1 << 20];
    world_open(w);
    world_post(w, "v", 1);
    world_close(w);
    int fd = open(w->path, O_RDONLY);
    ssize_t len = read(fd, copy, sizeof copy);
    close(fd);
    assert_in_range(len, 1, sizeof copy - 1);
    world_open(w);
    for (unsigned i = 2; i <= 9; i++) world_post(w, "v", i);
    world_close(w);
    world_sql(w, DAMAGE("body = body || char(10)"));
    world_open(w);
    world_post_many(w, "other", 3000); // a long write-ahead log
    world_range(w, "v", (struct position){0}, WORLD_RANGE);
    expect_lost(w, "good copy");
    world_close(w);
    put_file(w->path, copy, (size_t)len);
    world_open(w);
    assert_true(is_ready(w, NULL));
    assert_int_equal(world_range(w, "v", (struct position){0}, WORLD_RANGE)->count, 1);
    assert_int_equal(world_overview(w)->comments, 1);
    world_post(w, "v", 2);
}

// Pages of a file in use

static void put_junk(struct world *w, int64_t from, int64_t to) {
    int fd = open(w->path, O_WRONLY);
    char junk[4096];
    memset(junk, 0xa5, sizeof junk);
    for (int64_t page = from; page < to; page++)
        assert_int_equal(pwrite(fd, junk, sizeof junk, page * 4096), sizeof junk);
    close(fd);
}

static void damage_of_a_file_in_use_is_noticed_when_it_is_read(void **state) {
    struct world *w = *state;
    w->config.limits.log_entries = 100000;
    world_open(w);
    for (int i = 0; i < 10; i++) world_post_many(w, "v", 5000); // more than is cached
    world_close(w);
    world_sql(w, "PRAGMA wal_checkpoint(TRUNCATE)"); // so that all pages are read from the file
    world_open(w);
    assert_true(is_ready(w, NULL));
    put_junk(w, 40, 200); // of the log, the oldest; what stands before them is read as the file is opened
    const struct world_range *r = world_range(w, "v", (struct position){0}, 2000);
    assert_int_equal(r->status, ENGINE_OK);
    assert_int_equal(r->head.seq, 50000);
    expect_lost(w, "damaged");
    world_reopen(w);
    expect_lost(w, "damaged");
}

// Where the files are

static void await(struct world *w, bool ready, const char *reason) {
    for (int i = 0; i < WORLD_LONG_MS / 20 && is_ready(w, reason) != ready; i++) world_let_pass(w, 20);
    assert_int_equal(is_ready(w, reason), ready);
}

static void a_file_that_is_moved_is_not_stored_to_until_it_is_back(void **state) {
    struct world *w = *state;
    char from[96], away[128];
    const char *const endings[] = {"", "-wal"};
    world_append(w, "v", "{\"a\":1}", "t1");
    for (size_t i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s%s", w->path, endings[i]);
        snprintf(away, sizeof away, "%s.away", from);
        assert_int_equal(rename(from, away), 0);
        await(w, false, "put it back");
        expect_lost(w, "removed, renamed or replaced");
        assert_int_equal(world_range(w, "v", (struct position){0}, 10)->count, 1 + i);
        assert_int_equal(rename(away, from), 0);
        await(w, true, NULL);
        world_post(w, "v", 2);
    }
}

static void a_folder_that_is_removed_is_not_stored_to(void **state) {
    struct world *w = *state;
    world_append(w, "v", "{\"a\":1}", "t1");
    nftw(w->folder, world_remove, 8, FTW_DEPTH | FTW_PHYS);
    await(w, false, "restart");
    expect_lost(w, "removed");
    assert_int_equal(mkdir(w->folder, 0700), 0); // not the same one
    close(open(w->path, O_CREAT | O_WRONLY, 0600));
    world_let_pass(w, 700);
    expect_lost(w, "removed");
    world_close(w);
    remove(w->path);
    world_open(w);
    assert_int_equal(world_post(w, "v", 1).seq, 1);
}

int main(void) {
#define TEST(name)      cmocka_unit_test_setup_teardown(name, world_make, world_free)
#define TEST_OPEN(name) cmocka_unit_test_setup_teardown(name, world_make_open, world_free)
    const struct CMUnitTest tests[] = {
        TEST(a_damaged_row_is_left_out_and_nothing_is_stored_any_more),
        TEST(a_damaged_row_among_the_newest_is_left_out),
        TEST(a_damaged_answer_to_a_repeat_is_not_given),
        TEST(a_damaged_mapping_is_not_given),
        TEST(a_damaged_position_is_not_counted_on_from),
        TEST(a_damaged_lease_is_refused_at_the_start),
        TEST(chains_that_lead_nowhere_end),
        TEST(what_has_been_put_right_is_stored_to_again),
        TEST(a_new_file_in_its_place_is_stored_to),
        TEST(a_good_copy_in_its_place_is_stored_to),
        TEST(damage_of_a_file_in_use_is_noticed_when_it_is_read),
        TEST_OPEN(a_file_that_is_moved_is_not_stored_to_until_it_is_back),
        TEST_OPEN(a_folder_that_is_removed_is_not_stored_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
