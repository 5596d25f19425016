// What the simulated people of the demo say, and when.
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "clients/talk.h"

enum { VIEWERS = 19, SENTENCES_MIN = 80 };
static const unsigned videos[VIEWERS] = {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 5, 6};

static struct talk begin(uint64_t seed) {
    struct talk t;
    talk_init(&t, videos, VIEWERS, seed);
    return t;
}

// Whether it can stand in JSON as it is.
static bool is_plain(const char *text) {
    for (; *text; text++)
        if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ') return false;
    return true;
}

static void test_the_same_seed_gives_the_same_conversation(void **state) {
    (void)state;
    struct talk a = begin(7), b = begin(7), c = begin(8);
    int different = 0;
    for (int i = 0; i < 200; i++) {
        struct talk_turn x = talk_next(&a), y = talk_next(&b), z = talk_next(&c);
        assert_int_equal(x.viewer, y.viewer);
        assert_ptr_equal(x.text, y.text);
        assert_int_equal(x.wait_us, y.wait_us);
        different += x.text != z.text;
    }
    assert_true(different > 100);
}

static void test_what_is_said_fits_and_needs_no_escaping(void **state) {
    (void)state;
    struct talk t = begin(1);
    for (int i = 0; i < 3000; i++) {
        struct talk_turn turn = talk_next(&t);
        assert_in_range(turn.viewer, 0, VIEWERS - 1);
        assert_in_range(strlen(turn.text), 1, TALK_TEXT_MAX);
        if (!is_plain(turn.text)) fail_msg("%s", turn.text);
        assert_in_range(turn.wait_us, 0, 3000000);
    }
    for (unsigned i = 1; i < 300; i++) {
        assert_in_range(strlen(talk_name(i)), 1, 64); // NAME_MAX_BYTES
        assert_true(is_plain(talk_name(i)));
    }
    for (unsigned i = 1; i < VIEWERS; i++) assert_string_not_equal(talk_name(i), talk_name(i + 1));
}

static void test_a_room_is_calm_with_bursts_in_one_video(void **state) {
    (void)state;
    struct talk t = begin(3);
    int64_t total_us = 0;
    int turns = 4000, in_video[7] = {0}, longest = 0, run = 0;
    size_t before = VIEWERS, last[7] = {VIEWERS, VIEWERS, VIEWERS, VIEWERS, VIEWERS, VIEWERS, VIEWERS};
    int by_viewer[VIEWERS] = {0};
    for (int i = 0; i < turns; i++) {
        struct talk_turn turn = talk_next(&t);
        unsigned video = videos[turn.viewer];
        if (video <= 3) assert_int_not_equal(turn.viewer, last[video]); // others watch it too
        last[video] = turn.viewer;
        by_viewer[turn.viewer]++;
        total_us += turn.wait_us;
        in_video[video]++;
        run = before < VIEWERS && videos[before] == video ? run + 1 : 0;
        if (run > longest) longest = run;
        before = turn.viewer;
    }
    double per_s = turns * 1e6 / (double)total_us;
    assert_true(per_s > 1.5 && per_s < 6);
    assert_true(longest >= 12); // of a burst
    for (int video = 1; video <= 6; video++) assert_true(in_video[video] > turns / 100);
    assert_true(in_video[3] > in_video[1]);
    for (int i = 6; i < 16; i++) assert_in_range(by_viewer[i], in_video[3] / 20, in_video[3] / 5);
}

// Calm rooms only: a lone viewer's bursts are short.
static void test_no_sentence_is_repeated_soon(void **state) {
    (void)state;
    static const unsigned one[2] = {1, 1};
    struct talk t;
    talk_init(&t, one, 2, 5);
    const char *said[SENTENCES_MIN];
    size_t count = 0;
    while (count < SENTENCES_MIN) {
        const char *text = talk_next(&t).text;
        if (strlen(text) < 24) continue; // a reaction, or as short as one
        for (size_t i = count > 30 ? count - 30 : 0; i < count; i++) assert_ptr_not_equal(said[i], text);
        said[count++] = text;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_seed_gives_the_same_conversation),
        cmocka_unit_test(test_what_is_said_fits_and_needs_no_escaping),
        cmocka_unit_test(test_a_room_is_calm_with_bursts_in_one_video),
        cmocka_unit_test(test_no_sentence_is_repeated_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
