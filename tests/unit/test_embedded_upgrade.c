// A database that an earlier version made is read on. fixtures/schema-1.db is one of version 1: three runs of
// that version's own program and engine, with comments, a token, a mapping, two changes of epoch, an entry of
// a kind unknown to it, a tombstone and a loss.
#include "embedded_world.h"

enum { BEFORE = 11 };

static const struct expected {
    struct position at, prev;
    int kind;
    const char *json; // how it ends
} log_of_v[BEFORE] = {
    {{1795714413991, 1},
     {0},
     ENTRY_COMMENT,
     "\"comment\":\"before 1\",\"timestamp\":\"2026-11-26T17:33:33.990Z\"}"},
    {{1795714413991, 2},
     {0},
     ENTRY_COMMENT,
     "\"comment\":\"before 2\",\"timestamp\":\"2026-11-26T17:33:34.025Z\"}"},
    {{1795714413991, 3},
     {0},
     ENTRY_COMMENT,
     "\"comment\":\"before 3\",\"timestamp\":\"2026-11-26T17:33:34.028Z\"}"},
    {{1795714413991, 4},
     {0},
     ENTRY_COMMENT,
     "\"comment\":\"once\",\"timestamp\":\"2026-11-26T17:33:34.040Z\"}"},
    {{1795714414947, 1},
     {1795714413991, 4},
     ENTRY_COMMENT,
     "\"comment\":\"after 1\",\"timestamp\":\"2026-11-26T17:33:34.947Z\"}"},
    {{1795714414947, 2},
     {0},
     ENTRY_COMMENT,
     "\"comment\":\"after 2\",\"timestamp\":\"2026-11-26T17:33:35.028Z\"}"},
    {{1795714415747, 1}, {1795714414947, 2}, 7, "{\"id\":\"1795714415747-1\",\"target\":\"x\"}"},
    {{1795714415747, 2}, {0}, ENTRY_TOMBSTONE, ""},
    {{1795714415765, 1}, {1795714415747, 2}, ENTRY_TOMBSTONE, ""},
    {{1795714415765, 2},
     {0},
     ENTRY_COMMENT,
     "{\"id\":\"1795714415765-2\",\"userid\":\"u1\",\"comment\":\"found a loss\"}"},
    {{1795714415765, 3}, {0}, ENTRY_COMMENT, "{\"id\":\"1795714415765-3\",\"comment\":\"token\"}"},
};

static void copy_fixture(const struct world *w) {
    static char bytes[1 << 18];
    FILE *from = fopen(FIXTURES "/schema-1.db", "r"), *to = fopen(w->path, "w");
    assert_non_null(from);
    assert_non_null(to);
    size_t len = fread(bytes, 1, sizeof bytes, from);
    assert_in_range(len, 1, sizeof bytes - 1);
    assert_int_equal(fwrite(bytes, 1, len, to), len);
    fclose(from);
    fclose(to);
}

// Puts it in place, as if it had been written just now: nothing has expired.
static int make_old(void **state) {
    world_make(state);
    struct world *w = *state;
    copy_fixture(w);
    char sql[256];
    snprintf(sql, sizeof sql,
             "UPDATE entry SET at_ms = %lld; UPDATE token SET at_ms = %lld; UPDATE video SET used_ms = %lld",
             (long long)clock_wall_ms(), (long long)clock_wall_ms(), (long long)clock_wall_ms());
    world_sql(w, sql);
    assert_int_equal(world_sql_number(w, "PRAGMA user_version"), 1);
    world_open(w);
    return 0;
}

static void assert_reads(struct world *w, size_t from, struct position after) {
    const struct world_range *r = world_range(w, "v", after, 100);
    assert_int_equal(r->status, ENGINE_OK);
    assert_int_equal(r->count, BEFORE - from);
    for (size_t i = from; i < BEFORE; i++) {
        const struct expected *e = &log_of_v[i];
        const char *json = r->json[i - from];
        size_t len = strlen(json), ending = strlen(e->json);
        assert_int_equal(position_compare(r->at[i - from], e->at), 0);
        assert_int_equal(position_compare(r->prev[i - from], e->prev), 0);
        assert_int_equal(r->kind[i - from], e->kind);
        assert_true(len >= ending);
        assert_string_equal(json + len - ending, e->json);
        assert_null(strstr(json, "\"prev\""));
        assert_null(strstr(json, "\"kind\""));
    }
}

static void history_and_resume_are_as_they_were(void **state) {
    struct world *w = *state;
    for (int round = 0; round < 2; round++) { // the second time as a file of this version
        assert_reads(w, 0, (struct position){0});
        for (size_t i = 0; i < BEFORE; i++) assert_reads(w, i + 1, log_of_v[i].at);
        assert_int_equal(position_compare(world_head(w, "v").at, log_of_v[BEFORE - 1].at), 0);
        world_reopen(w);
    }
    world_close(w);
    assert_int_equal(world_sql_number(w, "PRAGMA user_version"), 2);
    assert_int_equal(world_sql_number(w, "SELECT count(*) FROM entry WHERE checksum IS NULL"),
                     BEFORE + 2); // left as they are
}

static void what_is_appended_follows(void **state) {
    struct world *w = *state;
    struct world_append a = world_append(w, "v", "{\"comment\":\"new\"}", NULL);
    assert_int_equal(position_compare(a.prev, log_of_v[BEFORE - 1].at), 0);
    const struct world_range *r = world_range(w, "v", log_of_v[BEFORE - 2].at, 100);
    assert_int_equal(r->count, 2);
    assert_string_equal(r->json[0], log_of_v[BEFORE - 1].json);
    assert_string_equal(r->json[1], a.json);
    world_reopen(w);
    assert_int_equal(world_range(w, "v", (struct position){0}, 100)->count, BEFORE + 1);
}

// As the comment API names it: by user and key, with the comment's JSON up to the timestamp.
static void a_token_still_names_its_comment(void **state) {
    static const char name[] = "u1 k1";
    static const char content[] =
        "{\"userid\":\"u1\",\"videoid\":\"v\",\"name\":\"Zo\xc3\xab \\\"Z\\\" \xf0\x9f\x98\x80\",\"comment\":\"once\"";
    struct world *w = *state;
    unsigned char digest[SHA256_SIZE];
    struct engine_token token = {.old_name = name};
    struct sha256 h;
    sha256_init(&h);
    sha256_add(&h, name, strlen(name));
    sha256_end(&h, digest);
    memcpy(token.name, digest, sizeof token.name);
    sha256_init(&h);
    sha256_add(&h, content, strlen(content));
    sha256_end(&h, digest);
    memcpy(token.digest, digest, sizeof token.digest);
    struct engine_append what = world_comment("v", "{\"comment\":\"a repeat\"}");
    what.token = &token;
    struct world_append a = {.world = w};
    w->awaited++;
    w->ops->append(w->engine, &what, world_on_append, &a);
    world_wait(w);
    assert_int_equal(a.status, ENGINE_OK);
    assert_true(a.repeated);
    assert_int_equal(position_compare(a.at, log_of_v[3].at), 0);
    a = world_append(w, "v", "{\"comment\":\"token\"}", "t");
    assert_true(a.repeated);
    assert_int_equal(position_compare(a.at, log_of_v[BEFORE - 1].at), 0);
    assert_int_equal(world_append(w, "v", "{\"comment\":\"other\"}", "t").status, ENGINE_KEY_REUSED);
}

static void mappings_and_totals_are_there(void **state) {
    struct world *w = *state;
    assert_string_equal(world_lookup(w, "v").reader, "http://127.0.0.1:4801");
    assert_string_equal(world_lookup(w, "w").reader, "http://127.0.0.1:4801");
    const struct world_overview *o = world_overview(w);
    assert_int_equal(o->comments, 10);
    assert_int_equal(o->mappings, 2);
    assert_int_equal(o->newest_count, ENGINE_NEWEST);
    assert_string_equal(o->newest[0], log_of_v[BEFORE - 1].json);
}

static void a_tombstone_keeps_its_place_beside_new_entries(void **state) {
    struct world *w = *state;
    world_append(w, "v", "", NULL);
    const struct world_range *r = world_range(w, "v", log_of_v[6].at, 100);
    assert_int_equal(r->count, 5);
    assert_int_equal(r->kind[0], ENTRY_TOMBSTONE);
    assert_int_equal(r->kind[4], ENTRY_TOMBSTONE);
    assert_int_equal(position_compare(r->prev[4], log_of_v[BEFORE - 1].at), 0);
}

#define OLD(test) cmocka_unit_test_setup_teardown(test, make_old, world_free)
int main(void) {
    const struct CMUnitTest tests[] = {
        OLD(history_and_resume_are_as_they_were),
        OLD(what_is_appended_follows),
        OLD(a_token_still_names_its_comment),
        OLD(mappings_and_totals_are_there),
        OLD(a_tombstone_keeps_its_place_beside_new_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
