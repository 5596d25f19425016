// The archive of the embedded engine: what it has that the log drops, and what is taken out of both.
#include "embedded_world.h"

#include <sys/resource.h>

enum { DAY_MS = 24 * 3600 * 1000, PAGE = 64, MOST = 20000 };

static struct seen {
    size_t count, pages, comments;
    int64_t origin_ms;
    struct position head;
    struct position at[MOST];
    enum entry_kind kind[MOST];
    int64_t at_ms[MOST];
    char text[MOST][96]; // the beginnings of bodies
} seen;

struct reading {
    struct world *world;
    struct position after;
    bool more;
};

static void on_page(void *arg, enum engine_status status, const struct engine_replayed *page) {
    struct reading *r = arg;
    assert_int_equal(status, ENGINE_OK);
    assert_true(page->range.count <= PAGE);
    for (size_t i = 0; i < page->range.count; i++) {
        const struct engine_entry *e = &page->range.entries[i];
        assert_true(position_compare(e->at, r->after) > 0);
        r->after = seen.at[seen.count] = e->at;
        seen.kind[seen.count] = e->kind;
        seen.comments += e->kind == ENTRY_COMMENT;
        seen.at_ms[seen.count] = page->at_ms[i];
        snprintf(seen.text[seen.count], sizeof seen.text[0], "%.*s", (int)e->body_len, e->body);
        seen.count++;
    }
    seen.head = page->range.head;
    seen.origin_ms = page->origin_ms;
    r->more = page->range.more && page->range.count;
    world_answered(r->world);
}

// Reads all of a video, page by page.
static size_t read_from(struct world *w, const char *video, int64_t from_ms) {
    struct reading r = {.world = w};
    seen.count = seen.pages = seen.comments = 0;
    do {
        w->awaited++;
        w->ops->replay(
            w->engine,
            &(struct engine_replay){.video = video, .after = r.after, .from_ms = from_ms, .limit = PAGE},
            on_page, &r);
        world_wait(w);
        seen.pages++;
    } while (r.more);
    return seen.count;
}

static size_t read_all(struct world *w, const char *video) {
    return read_from(w, video, 0);
}

static void open_with(struct world *w, uint64_t log_entries, int64_t archive_ms) {
    w->config.limits.log_entries = log_entries;
    w->config.archive_ms = archive_ms;
    world_open(w);
}

static struct position post_by(struct world *w, const char *video, const char *user, unsigned text) {
    char json[128];
    snprintf(json, sizeof json, "{\"userid\":\"%s\",\"comment\":\"secret of %s %u\"}", user, user, text);
    struct world_append a = world_append(w, video, json, NULL);
    assert_int_equal(a.status, ENGINE_OK);
    return a.at;
}

static void post_many_by(struct world *w, const char *video, const char *user, unsigned count) {
    static struct world_append all[500];
    char json[128];
    for (unsigned done = 0; done < count; done += 500) {
        unsigned now = count - done < 500 ? count - done : 500;
        for (unsigned i = 0; i < now; i++) {
            snprintf(json, sizeof json, "{\"userid\":\"%s\",\"comment\":\"secret of %s %u\"}", user, user,
                     done + i);
            world_begin_append(w, &all[i], video, json, NULL);
        }
        world_wait(w);
    }
}

static struct world_amend purge(struct world *w, const char *video, const char *user) {
    static const char body[] = "\"userid\":\"x\"";
    return world_amend(
        w, &(struct engine_amend){
               .video = video, .kind = ENTRY_PURGE, .body = body, .body_len = sizeof body - 1, .user = user});
}

// Whether a file of the store has these bytes.
static bool file_has(const char *path, const char *bytes) {
    FILE *f = fopen(path, "rb");
    if (!f) return false;
    struct buf b = {0};
    for (size_t n; (n = fread(buf_reserve(&b, 65536), 1, 65536, f));) b.len += n;
    fclose(f);
    bool has = b.len && memmem(b.data, b.len, bytes, strlen(bytes)) != NULL;
    buf_release(&b);
    return has;
}

static bool store_has(const struct world *w, const char *bytes) {
    char wal[96];
    snprintf(wal, sizeof wal, "%s-wal", w->path);
    return file_has(w->path, bytes) || file_has(wal, bytes);
}

static void all_is_there_that_the_log_drops(void **state) {
    struct world *w = *state;
    open_with(w, 10, DAY_MS);
    for (int i = 0; i < 5; i++) {
        world_post_many(w, "a", 200);
        world_post_many(w, "b", 20);
    }
    assert_int_equal(world_range(w, "a", (struct position){0}, WORLD_RANGE)->count, 10);
    assert_int_equal(read_all(w, "a"), 1000);
    for (size_t i = 0; i < seen.count; i++) {
        assert_int_equal(seen.at[i].seq, i + 1);
        assert_true(!i || seen.at_ms[i] >= seen.at_ms[i - 1]);
    }
    assert_true(llabs(seen.origin_ms - clock_wall_ms()) < 60000 && seen.origin_ms == seen.at_ms[0]);
    assert_int_equal(read_all(w, "b"), 100);
    world_reopen(w);
    assert_int_equal(read_all(w, "a"), 1000);
    world_post(w, "a", 1);
    assert_int_equal(read_all(w, "a"), 1001);
    assert_true(seen.at[1000].epoch > seen.at[999].epoch);
}

static void without_an_archive_it_is_the_log(void **state) {
    struct world *w = *state;
    open_with(w, 10, 0);
    world_post_many(w, "v", 30);
    assert_int_equal(read_all(w, "v"), 10);
    assert_int_equal(seen.at[0].seq, 21);
    assert_int_equal(seen.origin_ms, 0);
    assert_true(llabs(seen.at_ms[0] - clock_wall_ms()) < 60000);
    assert_int_equal(read_all(w, "none"), 0);
    assert_false(position_is_set(seen.head));
}

static void a_comment_is_taken_out_after_it_has_left_the_log(void **state) {
    struct world *w = *state;
    open_with(w, 5, DAY_MS);
    struct position first = post_by(w, "v", "ann", 1);
    post_many_by(w, "v", "bob", 300);
    struct position kept = post_by(w, "v", "cis", 2);
    struct world_amend a = world_retract(w, "v", first);
    assert_int_equal(a.status, ENGINE_OK);
    assert_int_equal(a.taken, 1);
    assert_int_equal(world_retract(w, "v", kept).taken, 1);
    assert_int_equal(read_all(w, "v"), 304);
    assert_int_equal(seen.kind[0], ENTRY_BLANK);
    assert_string_equal(seen.text[0], "");
    assert_int_equal(seen.kind[301], ENTRY_BLANK);
    assert_int_equal(seen.kind[302], ENTRY_RETRACT);
    assert_int_equal(world_retract(w, "v", first).taken, 0); // nothing to do any more
    assert_int_equal(read_all(w, "v"), 304);
    assert_int_equal(world_retract(w, "v", (struct position){first.epoch, 9999}).status, ENGINE_NOT_FOUND);
    assert_int_equal(world_retract(w, "v", seen.at[302]).status, ENGINE_NOT_FOUND); // no comment
    assert_int_equal(world_retract(w, "none", first).status, ENGINE_NOT_FOUND);
    world_close(w);
    assert_false(store_has(w, "secret of ann"));
    assert_false(store_has(w, "secret of cis"));
    assert_true(store_has(w, "secret of bob"));
}

// The rows go in slices, between which comments are taken: but readers see none of them from the answer on.
static void a_purge_is_in_force_at_once_and_goes_in_slices(void **state) {
    struct world *w = *state;
    open_with(w, 5, DAY_MS);
    for (int i = 0; i < 5; i++) {
        post_many_by(w, "v", "ann", 1000);
        post_many_by(w, "v", "bob", 1000);
    }
    post_by(w, "other", "ann", 1);
    assert_int_equal(purge(w, "v", "ann").status, ENGINE_OK);
    world_close(w);
    assert_int_equal(world_sql_number(w, "SELECT count(*) FROM archive_purge"), 1); // not all in one go
    world_open(w);
    post_by(w, "v", "ann", 7);
    assert_int_equal(read_all(w, "v"), 10002);
    assert_int_equal(seen.comments, 5001);
    assert_string_equal(seen.text[10001], "\"userid\":\"ann\",\"comment\":\"secret of ann 7\"");
    world_wait_until(w, "SELECT count(*) FROM archive_purge");
    assert_int_equal(read_all(w, "v"), 10002);
    assert_int_equal(seen.comments, 5001);
    world_close(w);
    assert_true(store_has(w, "secret of bob 999"));
    assert_true(store_has(w, "secret of ann 1")); // on the other video
    assert_int_equal(world_sql_number(w, "SELECT count(*) FROM archive WHERE body LIKE '%secret of ann%'"),
                     2);
    assert_false(store_has(w, "secret of ann 99"));
    world_open(w);
}

static void it_goes_by_age_in_slices(void **state) {
    struct world *w = *state;
    w->config.limits.log_age_ms = 400;
    open_with(w, 5, 400);
    world_post_many(w, "old", 3000);
    world_let_pass(w, 500);
    world_post(w, "young", 1);
    assert_int_equal(read_all(w, "old"), 0); // from then on, whenever the rows go
    assert_int_equal(read_all(w, "young"), 1);
    world_wait_until(w,
                     "SELECT count(*) FROM archive a JOIN archived v ON v.id = a.video WHERE v.name = 'old'");
    world_wait_until(w, "SELECT count(*) FROM archived WHERE name = 'old'");
}

static void it_is_as_old_as_the_log_at_least(void **state) {
    struct world *w = *state;
    open_with(w, 1000, 1);
    world_post(w, "v", 1);
    world_let_pass(w, 20);
    assert_int_equal(read_all(w, "v"), 1);
}

static void it_is_switched_on_and_off(void **state) {
    struct world *w = *state;
    open_with(w, 12000, 0);
    world_post_many(w, "v", 10000); // more than one transaction copies
    w->config.archive_ms = DAY_MS;
    world_reopen(w);
    assert_int_equal(read_all(w, "v"), 10000);
    world_wait_until(w, "SELECT count(*) < 10000 FROM archive");
    world_post(w, "v", 1);
    w->config.limits.log_entries = 10;
    world_reopen(w);
    assert_int_equal(read_all(w, "v"), 10001);
    for (size_t i = 0; i < 10000; i++) assert_int_equal(seen.at[i].seq, i + 1);
    w->config.archive_ms = 0;
    world_reopen(w);
    assert_int_equal(read_all(w, "v"), 10);
    world_wait_until(w, "SELECT count(*) FROM archive");
}

// What the log shows no more is not copied yet when it is taken out.
static void what_is_taken_out_while_it_catches_up_does_not_come(void **state) {
    struct world *w = *state;
    open_with(w, 20000, 0);
    struct position first = post_by(w, "v", "bob", 1);
    post_many_by(w, "v", "ann", 12000);
    w->config.archive_ms = DAY_MS;
    w->config.limits.log_age_ms = 1;
    world_let_pass(w, 20);
    world_reopen(w);
    assert_int_equal(purge(w, "v", "ann").status, ENGINE_OK);
    struct world_amend taken; // not before its row has come
    while ((taken = world_retract(w, "v", first)).status == ENGINE_BUSY) continue;
    assert_int_equal(taken.status, ENGINE_OK);
    assert_int_equal(taken.taken, 1);
    world_wait_until(w, "SELECT count(*) FROM archive_purge");
    assert_int_equal(read_all(w, "v"), 12003);
    assert_true(seen.origin_ms == seen.at_ms[0]);
    assert_int_equal(seen.comments, 0);
    world_close(w);
    assert_false(store_has(w, "secret of"));
    world_open(w);
}

// Hundreds of thousands of rows may be behind.
static void what_is_taken_out_does_not_wait_for_the_rows_behind(void **state) {
    struct world *w = *state;
    open_with(w, 20000, 0);
    post_by(w, "v", "bob", 1);
    post_many_by(w, "v", "ann", 15000);
    world_close(w);
    world_sql(w, "CREATE TABLE copied(rows INTEGER);"
                 "CREATE TRIGGER taken_out UPDATE ON entry BEGIN"
                 " INSERT INTO copied SELECT count(*) FROM archive; END;"
                 "CREATE TRIGGER noted INSERT ON archive_purge BEGIN"
                 " INSERT INTO copied SELECT count(*) FROM archive; END;");
    w->config.archive_ms = DAY_MS;
    world_open(w);
    assert_int_equal(purge(w, "v", "bob").status, ENGINE_OK);
    world_wait_until(w, "SELECT count(*) FROM archive_purge");
    world_close(w);
    assert_int_equal(world_sql_number(w, "SELECT count(*) FROM copied WHERE rowid <= 2"), 2);
    assert_int_equal(world_sql_number(w, "SELECT max(rows) - min(rows) FROM copied WHERE rowid <= 2"), 0);
    world_open(w);
}

static void a_video_that_is_evicted_stays(void **state) {
    struct world *w = *state;
    w->config.limits.max_videos = 2;
    w->config.limits.log_age_ms = 100;
    open_with(w, 5, DAY_MS);
    world_post_many(w, "a", 20);
    world_let_pass(w, 200);
    for (int i = 0; i < 4; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%d", i);
        world_post(w, name, 1);
        world_let_pass(w, 150);
    }
    assert_int_equal(read_all(w, "a"), 20);
    struct position last = seen.at[19];
    assert_int_equal(world_retract(w, "a", seen.at[3]).taken, 1);
    assert_int_equal(read_all(w, "a"), 21);
    assert_int_equal(seen.kind[3], ENTRY_BLANK);
    assert_true(seen.at[20].epoch > last.epoch);
}

static void its_origin_is_the_newest_start(void **state) {
    struct world *w = *state;
    static const char body[] = "\"timestamp\":\"\"";
    open_with(w, 5, DAY_MS);
    world_post_many(w, "v", 10);
    for (int i = 0; i < 2; i++) {
        world_let_pass(w, 10);
        struct engine_amend start = {
            .video = "v", .kind = ENTRY_START, .body = body, .body_len = sizeof body - 1};
        assert_int_equal(world_amend(w, &start).status, ENGINE_OK);
        world_post_many(w, "v", 5);
    }
    assert_int_equal(read_all(w, "v"), 22);
    assert_int_equal(seen.kind[16], ENTRY_START);
    assert_int_equal(seen.origin_ms, seen.at_ms[16]);
    assert_true(seen.origin_ms > seen.at_ms[0]);
}

static void a_time_is_found_over_epochs(void **state) {
    struct world *w = *state;
    open_with(w, 5, DAY_MS);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            world_post_many(w, "v", 70);
            world_let_pass(w, 10);
        }
        world_reopen(w);
    }
    static int64_t times[630];
    assert_int_equal(read_all(w, "v"), 630);
    memcpy(times, seen.at_ms, sizeof times);
    for (size_t i = 0; i < 630; i += 7) {
        size_t later = 0;
        for (size_t j = 0; j < 630; j++) later += times[j] >= times[i];
        assert_int_equal(read_from(w, "v", times[i]), later);
    }
    assert_int_equal(read_from(w, "v", times[0] - 1000), 630);
    assert_int_equal(read_from(w, "v", times[629] + 1), 0);
}

static void limit_file_size(rlim_t bytes) {
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

// The archive is what grows. Comments are refused when there is no room for it: none is accepted that would
// be missing in it.
static void a_full_disk_leaves_no_hole(void **state) {
    struct world *w = *state;
    open_with(w, 5, DAY_MS);
    world_post(w, "v", 1);
    limit_file_size(4000000);
    uint64_t stored = 1;
    for (; stored < 100000; stored++) {
        struct world_append a =
            world_append(w, "v", "{\"userid\":\"ann\",\"comment\":\"......................\"}", NULL);
        if (a.status != ENGINE_OK) break;
        assert_int_equal(a.at.seq, stored + 1);
    }
    assert_in_range(stored, 50, 99999);
    assert_int_equal(read_all(w, "v"), stored); // it can be read
    limit_file_size(0);
    world_await_ready(w);
    assert_int_equal(world_post(w, "v", 1).seq, stored + 1);
    assert_int_equal(read_all(w, "v"), stored + 1);
    for (size_t i = 0; i <= stored; i++) assert_int_equal(seen.at[i].seq, i + 1);
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_free)

struct copied {
    struct world *world;
    struct position newest;
};

static void on_copied(void *arg, enum engine_status status, struct position newest) {
    struct copied *c = arg;
    assert_int_equal(status, ENGINE_OK);
    c->newest = newest;
    world_answered(c->world);
}

static struct position copy(struct world *w, const struct engine_entry *entries, size_t count) {
    struct copied c = {.world = w};
    int64_t at_ms[8];
    assert_true(count <= 8);
    for (size_t i = 0; i < count; i++) at_ms[i] = clock_wall_ms();
    w->awaited++;
    embedded_copy(w->engine,
                  &(struct embedded_copied){.video = "v", .entries = entries, .at_ms = at_ms, .count = count},
                  on_copied, &c);
    world_wait(w);
    return c.newest;
}

#define ENTRY_OF(number, its_kind, its_body)                                                                 \
    { .at = {7, number}, .kind = its_kind, .body = its_body, .body_len = sizeof its_body - 1 }

// What is copied a second time, as after a kill, changes nothing: a purge does not take what came after it.
static void a_log_of_another_store_is_copied_once(void **state) {
    struct world *w = *state;
    static const struct engine_entry entries[] = {
        ENTRY_OF(1, ENTRY_COMMENT, "\"userid\":\"ann\",\"comment\":\"secret\""),
        ENTRY_OF(2, ENTRY_COMMENT, "\"userid\":\"bob\",\"comment\":\"taken\""),
        ENTRY_OF(3, ENTRY_PURGE, "\"userid\":\"ann\""),
        ENTRY_OF(4, ENTRY_RETRACT, "\"target\":\"7-2\""),
        ENTRY_OF(5, ENTRY_COMMENT, "\"userid\":\"ann\",\"comment\":\"back\""),
    };
    w->config.follows = true;
    open_with(w, 10, DAY_MS);
    assert_false(position_is_set(copy(w, entries, 0)));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(copy(w, entries, 5).seq, 5);
        assert_int_equal(read_all(w, "v"), 5);
        assert_int_equal(seen.comments, 1);
        assert_int_equal(seen.kind[4], ENTRY_COMMENT);
    }
    world_close(w);
    world_open(w);
    assert_int_equal(copy(w, entries, 0).seq, 5);
    assert_int_equal(read_all(w, "v"), 5);
    assert_int_equal(seen.comments, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WORLD(all_is_there_that_the_log_drops),
        WORLD(without_an_archive_it_is_the_log),
        WORLD(a_comment_is_taken_out_after_it_has_left_the_log),
        WORLD(a_purge_is_in_force_at_once_and_goes_in_slices),
        WORLD(it_goes_by_age_in_slices),
        WORLD(it_is_as_old_as_the_log_at_least),
        WORLD(it_is_switched_on_and_off),
        WORLD(what_is_taken_out_while_it_catches_up_does_not_come),
        WORLD(what_is_taken_out_does_not_wait_for_the_rows_behind),
        WORLD(a_video_that_is_evicted_stays),
        WORLD(its_origin_is_the_newest_start),
        WORLD(a_time_is_found_over_epochs),
        WORLD(a_full_disk_leaves_no_hole),
        WORLD(a_log_of_another_store_is_copied_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
