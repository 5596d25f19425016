// What `chorus check` finds: each kind of damage that SQLite itself takes for data, and nothing in a sound
// file.
#include "embedded_world.h"

#include "engine/embedded_files.h"

struct found {
    unsigned count;
    char first[512];
};

static void on_problem(void *arg, const char *sentence) {
    struct found *f = arg;
    if (!f->count++) snprintf(f->first, sizeof f->first, "%s", sentence);
}

static struct found check(struct world *w) {
    struct found f = {0};
    struct embedded_contents contents;
    assert_true(embedded_check(w->path, NULL, on_problem, &f, &contents, w->why, sizeof w->why));
    assert_int_equal(contents.problems, f.count);
    return f;
}

static void fill(struct world *w) {
    for (int run = 0; run < 2; run++) {
        world_open(w);
        world_post_many(w, "a", 5);
        world_post_many(w, "b", 5);
        world_assign(w, "a", "http://127.0.0.1:4001");
        world_close(w);
    }
}

static void a_sound_file_has_no_problem(void **state) {
    struct world *w = *state;
    fill(w);
    assert_int_equal(check(w).count, 0);
    world_open(w);
    assert_int_equal(check(w).count, 0); // also while it is used
    world_close(w);
}

static void each_damage_is_found(void **state) {
    static const struct {
        const char *sql, *problem;
    } cases[] = {
        {"UPDATE entry SET body = replace(body, '}', ' }') WHERE n = 3", "entry 3 is not as it was written"},
        {"DELETE FROM entry WHERE n = 3", "an entry before entry 4 is missing"},
        {"DELETE FROM entry WHERE n = 15", "the newest entry of video a, 15, is missing"},
        {"UPDATE entry SET place = 9 WHERE n = 3", "entry 3 is not counted as the one after entry 2"},
        {"UPDATE video SET seq = seq - 1 WHERE name = 'a'", "the position of video a, "},
        {"UPDATE mapping SET reader = ''", "the mapping of video 1 names no reader"},
        {"UPDATE mapping SET video = 77", "the mapping of video 77 is of no video"},
        {"UPDATE totals SET videos = 5", "there are 2 videos, but 5 are counted"},
        {"UPDATE totals SET mappings = 5", "there are 1 mappings, but 5 are counted"},
    };
    struct world *w = *state;
    fill(w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char copy[96];
        struct embedded_contents contents;
        snprintf(copy, sizeof copy, "%s/copy-%zu", w->folder, i);
        assert_true(embedded_backup(w->folder, copy, false, NULL, &contents, w->why, sizeof w->why));
        world_sql(w, cases[i].sql);
        struct found f = check(w);
        if (!f.count || strncmp(f.first, cases[i].problem, strlen(cases[i].problem)) != 0)
            fail_msg("%s: %u problems, the first: %s", cases[i].sql, f.count, f.first);
        char aside[EMBEDDED_PATH_SIZE];
        assert_true(embedded_restore(copy, w->folder, true, NULL, &contents, aside, w->why, sizeof w->why));
        assert_int_equal(check(w).count, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sound_file_has_no_problem, world_make, world_free),
        cmocka_unit_test_setup_teardown(each_damage_is_found, world_make, world_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
