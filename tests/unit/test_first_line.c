// The first line of moderation: how texts are folded, which words, links and capitals are found in them, and
// what counts as a repeat. Hostile texts too.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the above
#include <cmocka.h>

#include "base/buf.h"
#include "moderation/folded.h"
#include "moderation/repeats.h"
#include "moderation/text_signs.h"
#include "moderation/word_list.h"

static struct word_list *list_of(const char *text) {
    size_t skipped;
    return word_list_new(text, strlen(text), &skipped);
}

static bool finds(const char *list, const char *text) {
    struct word_list *l = list_of(list);
    const struct folded *f = folded_text(text, strlen(text));
    bool found = f && word_list_matches(l, f);
    word_list_free(l);
    return found;
}

static void test_words_are_whole(void **state) {
    (void)state;
    assert_true(finds("ass\n", "you ass"));
    assert_true(finds("ass", "ass"));
    assert_true(finds("ass", "(ASS!)"));
    assert_true(finds("ass", "an_ass-like"));
    assert_false(finds("ass", "class assets"));
    assert_false(finds("ass", "ass2"));
    assert_false(finds("ass", "a s s"));
    assert_false(finds("", "anything"));
    assert_false(finds("# ass\n\n \t\n", "ass #"));
    assert_true(finds("# comment\r\nASS\r\n", "ass"));
}

static void test_words_are_folded(void **state) {
    (void)state;
    assert_true(finds("bad", "\uff22\uff21\uff24"));             // full width
    assert_true(finds("bad", "\U0001d41b\U0001d41a\U0001d41d")); // mathematical
    assert_true(finds("bad", "\u24d1\u24d0\u24d3"));             // circled
    assert_true(finds("fluff", "\ufb02u\ufb00"));                // ligatures
    assert_true(finds("stra\u00dfe", "STRASSE"));
    assert_true(finds("\u00fcbel", "U\u0308BEL")); // composed
    assert_false(finds("ubel", "\u00fcbel"));      // an accent counts
    assert_false(finds("bad", "b\u0430d"));        // Cyrillic: only looks alike
    assert_true(finds("\u041f\u041b\u041e\u0425\u041e", "\u043f\u043b\u043e\u0445\u043e"));
}

static void test_what_cannot_be_seen_hides_nothing(void **state) {
    (void)state;
    assert_true(finds("bad", "b\u200ba\u200cd"));
    assert_true(finds("bad", "b\u00adad"));
    assert_true(finds("bad", "\u202eb\u2066a\u2069d\u202c"));
    assert_true(finds("bad", "b\ufe0fad\u2060"));
    assert_true(finds("b\u200bad", "bad"));
}

static void test_phrases(void **state) {
    (void)state;
    assert_true(finds("buy  followers", "Now: buy, FOLLOWERS!"));
    assert_false(finds("buy followers", "buy more followers"));
    assert_false(finds("buy followers", "buy"));
    assert_false(finds("buy followers", "followers buy"));
    assert_true(finds("a b\na b c d", "x a b c d"));
    assert_true(finds("a b c d", "a b c a b c d"));
    assert_true(finds("don't", "DON'T"));
    assert_true(finds("don't", "don\u2019t"));
}

static void test_scripts_without_spaces(void **state) {
    (void)state;
    assert_true(finds("\u574f\u8bcd", "\u8fd9\u662f\u574f\u8bcd\u5417"));
    assert_false(finds("\u574f\u8bcd", "\u574f\u4e86\u8bcd"));
    assert_true(finds("\u0e04\u0e33", "\u0e1e\u0e39\u0e14\u0e04\u0e33\u0e19\u0e35\u0e49"));
    assert_true(finds("\U0001f595", "hm\U0001f595\U0001f3fd!"));
}

static void test_lines_that_are_skipped(void **state) {
    (void)state;
    struct buf text = {0};
    size_t skipped;
    buf_add_string(&text, "good\n!!!\n\xff\xfe\n");
    for (int i = 0; i <= WORD_LIST_PHRASE_MAX; i++) buf_add_string(&text, "w ");
    buf_add_string(&text, "\n");
    for (int i = 0; i < 300; i++) buf_add_string(&text, "x");
    struct word_list *l = word_list_new(buf_string(&text), text.len, &skipped);
    assert_int_equal(skipped, 4);
    assert_int_equal(word_list_count(l), 1);
    word_list_free(l);
    buf_release(&text);
}

static bool has_link(const char *text) {
    return folded_has_link(folded_text(text, strlen(text)));
}

static void test_links(void **state) {
    (void)state;
    static const char *const links[] = {"https://example.org",
                                        "see HTTP://X",
                                        "x://y",
                                        "www.example",
                                        "spam.com",
                                        "my-page.tv/x",
                                        "bit.ly/abc",
                                        "t.me",
                                        "(evil.example.com).",
                                        "evil\uff0ecom",
                                        "e\u200bvil.c\u200bom",
                                        "m\u00fcller.de",
                                        "host.example/path",
                                        "so.com.",
                                        "50.de"};
    static const char *const others[] = {"",       ".",       "...",      "1.5 m",   "e.g. this", "end.Next",
                                         "v1.2.3", "a/b",     "a.b/c",    "12:30",   "://",       "www.",
                                         "wwww.x", "and/or.", "file.txt", "no. com", "wait.what", "x:y"};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (!has_link(links[i])) fail_msg("is a link: %s", links[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (has_link(others[i])) fail_msg("is no link: %s", others[i]);
}

static bool shouts(const char *text) {
    return text_shouts(text, strlen(text), 70, 10);
}

static void test_capitals(void **state) {
    (void)state;
    assert_true(shouts("WHY WOULD YOU DO THAT"));
    assert_false(shouts("Why would you do that"));
    assert_false(shouts("GOAL!"));      // of 10 letters at least
    assert_false(shouts("ABCDEFGabc")); // 70 % is not more than 70 %
    assert_true(shouts("ABCDEFGHab"));
    assert_true(shouts("\u041f\u041e\u0427\u0415\u041c\u0423\u0422\u0410\u041a\u0410\u042f"));
    assert_false(shouts("\u65e5\u672c\u8a9e\u65e5\u672c\u8a9e\u65e5\u672c\u8a9e\u65e5ABC"));
    assert_false(shouts("1234567890!!!"));
}

static bool note(struct repeats *r, const char *user, const char *text, const char *key, int64_t now_ms) {
    struct repeat_mark mark = repeat_mark_of(user, folded_text(text, strlen(text)), text, strlen(text));
    return repeats_note(r, &mark, key, now_ms, 1000);
}

static void test_repeats(void **state) {
    (void)state;
    struct repeats *r = repeats_new();
    assert_true(note(r, "ann", "Buy this!", "", 0));
    assert_false(note(r, "ann", "buy THIS", "", 999));
    assert_true(note(r, "bob", "buy this", "", 999));
    assert_true(note(r, "ann", "buy that", "", 999));
    assert_true(note(r, "ann", "buy this", "", 1000));
    assert_true(note(r, "ann", "!!!", "", 1000));
    assert_true(note(r, "ann", "???", "", 1000));
    assert_true(note(r, "ann", "keyed", "ann k", 1000));
    assert_true(note(r, "ann", "keyed", "ann k", 1001)); // a repeat of the post, not of the text
    assert_false(note(r, "ann", "keyed", "ann l", 1001));
    assert_false(note(r, "ann", "keyed", "", 1001));
    struct repeat_mark mark = repeat_mark_of("ann", folded_text("keyed", 5), "keyed", 5);
    repeats_forget(r, &mark);
    assert_true(note(r, "ann", "keyed", "", 1001));
    repeats_free(r);
}

static void test_repeats_are_bounded(void **state) {
    (void)state;
    struct repeats *r = repeats_new();
    char text[16];
    for (int i = 0; i <= REPEATS_MAX; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_true(note(r, "ann", text, "", 0));
    }
    assert_true(note(r, "ann", "0", "", 0)); // forgotten
    assert_false(note(r, "ann", "100000", "", 0));
    repeats_free(r);
}

// Texts of the greatest length that are made to be long, slow or wrong when folded.
static void test_hostile_texts(void **state) {
    (void)state;
    static const char *const pieces[] = {"\ufdfa",  "\u0344", "\u0301\u0323", "\u200b",
                                         "a\u200d", "\u202e", "\U0001f1e6",   "\u65e5",
                                         "a ",      "a.",     "\xff"};
    struct word_list *l = list_of("a a a a a a a a a a a a a a a b\n\u65e5\u65e5\u65e5\u672c");
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct buf text = {0};
        while (text.len + strlen(pieces[i]) <= FOLDED_TEXT_MAX) buf_add_string(&text, pieces[i]);
        const struct folded *f = folded_text(buf_string(&text), text.len);
        assert_int_equal(!f, *pieces[i] == '\xff');
        if (f) {
            assert_true(f->count <= FOLDED_MAX && f->words_len <= FOLDED_BYTES &&
                        f->word_count <= FOLDED_MAX);
            assert_false(word_list_matches(l, f));
            folded_has_link(f);
        }
        buf_release(&text);
    }
    word_list_free(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_are_whole),
        cmocka_unit_test(test_words_are_folded),
        cmocka_unit_test(test_what_cannot_be_seen_hides_nothing),
        cmocka_unit_test(test_phrases),
        cmocka_unit_test(test_scripts_without_spaces),
        cmocka_unit_test(test_lines_that_are_skipped),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_capitals),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_repeats_are_bounded),
        cmocka_unit_test(test_hostile_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
