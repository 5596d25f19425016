#include "unit.h"

#include "service/text_rules.h"

enum { ALL = 1u << TEXT_NAME_LINES | 1u << TEXT_BIDI | 1u << TEXT_BLANK };

static const struct text_rules defaults = {.on = ALL, .lines = 40, .marks = 8};

#define LRE "\u202a"
#define RLE "\u202b"
#define PDF "\u202c"
#define LRO "\u202d"
#define RLO "\u202e"
#define LRI "\u2066"
#define RLI "\u2067"
#define FSI "\u2068"
#define PDI "\u2069"

struct text_case {
    const char *text;
    enum text_rule broken;
};

static void check_comments(const struct text_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        enum text_rule broken = text_rules_check_comment(&defaults, cases[i].text, strlen(cases[i].text));
        if (broken != cases[i].broken) fail_msg("comment %zu, \"%s\": rule %d", i, cases[i].text, broken);
    }
}

#define CHECK_COMMENTS(cases) check_comments(cases, sizeof(cases) / sizeof *(cases))

static const char *const honest[] = {
    "Great video!",
    "Ça alors, où êtes-vous ?\tÀ bientôt",
    "Tiếng Việt: phở bò, bún chả, cà phê sữa đá",
    "Tie\u0302\u0301ng Vie\u0323\u0302t pho\u031b\u0309", // the same, decomposed
    "ที่นี่ น้ำผึ้ง กี่ปี่ ผู้ใหญ่",
    "ສະບາຍດີ ເຈົ້າຢູ່ນີ້",
    "क्षत्रिय, हिन्दी, ज़्यादा, र्‍य, श्री ऋग्वेद अ॑ग्निमी॑ळे",
    "বাংলাদেশ, ক্ষুদ্র, র‍্যাব",
    "தமிழ் ஸ்ரீ, മലയാളം ന്‍റെ, ಕನ್ನಡ ಕ್ಷ, తెలుగు క్ష్మ",
    "ကျွန်ုပ်တို့ မြန်မာ, ស្ត្រី ខ្ញុំ, සිංහල ක්‍ෂ",
    "བཀྲ་ཤིས་བདེ་ལེགས། ༀ་མ་ཎི་པདྨེ་ཧཱུྃ",
    "\u0f67\u0f90\u0fb5\u0fa8\u0fb3\u0fba\u0fbc\u0fbb\u0f82", // Hakshmalawarayam, the longest stack in use
    "مرحبا بكم في البث المباشر",
    "بِسْمِ ٱللَّهِ ٱلرَّحْمَـٰنِ ٱلرَّحِيمِ، إِنَّ ٱللَّهَ",
    "می‌خواهم نامه‌ای بنویسم", // zero-width non-joiners
    "שלום לכולם! בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים אֵ֥ת הַשָּׁמַ֖יִם",
    "אני אוהב את \u200eC++\u200e, \u200fומה?", // LRM and RLM reach nothing
    "안녕하세요 반갑습니다, ᄒᆞᆫ글",
    "日本語の実況コメント、がぎぐげご、か\u3099",
    "中文直播弹幕,繁體也行",
    "Привет! Ёлка и\u0306 е\u0308",
    "Καλημέρα, ᾧ πόποι",
    "ይህ አማርኛ ነው; Հայերեն; ქართული; ᏣᎳᎩ; ⵜⴰⵎⴰⵣⵉⵖⵜ",
    "👨‍👩‍👧‍👦 👩🏽‍🚀 🏳️‍🌈 ❤️ 1️⃣ #️⃣ 🇩🇪 👩‍❤️‍💋‍👨",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", // the flag of England, of tags
    "😀",
    "\U0001fae9", // a symbol that the library may not know yet
    "\uf8ff",     // of private use: some systems show a logo
    "\ufeffmark", // a byte order mark and a word
    "¯\\_(ツ)_/¯ ಠ_ಠ (╯°□°)╯︵ ┻━┻",
    "∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, a⃗·b⃗, x̂, 5̸",
    "a\nb\r\nc",
    ".",
    "",
};

static void test_honest_texts_of_many_scripts_pass(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof honest / sizeof *honest - 1; i++) {
        size_t len = strlen(honest[i]);
        enum text_rule broken = text_rules_check_comment(&defaults, honest[i], len);
        if (broken) fail_msg("\"%s\": rule %d", honest[i], broken);
        broken = text_rules_check_name(&defaults, honest[i], len);
        if (broken && !strchr(honest[i], '\n')) fail_msg("\"%s\" as a name: rule %d", honest[i], broken);
    }
}

static void test_what_turns_the_direction_is_closed_within_the_text(void **state) {
    (void)state;
    static const struct text_case cases[] = {
        {"abc " RLI "عربي" PDI " def", TEXT_FINE},
        {FSI "שם" PDI ": " LRI "C++" PDI, TEXT_FINE},
        {LRE "a" RLE "b" PDF "c" PDF, TEXT_FINE},
        {RLO "abc" PDF, TEXT_FINE},
        {RLI LRO "x" PDI, TEXT_FINE},         // UAX #9: PDI also closes the override within
        {RLI LRO RLE "x" PDI "y", TEXT_FINE}, // however many
        {LRI "x" PDF "y" PDI, TEXT_FINE},     // PDF does not see beyond the isolate
        {"a" RLI "b\nc" PDI, TEXT_FINE},
        {RLO "evil", TEXT_BIDI},
        {"evil" RLO, TEXT_BIDI},
        {LRE "x", TEXT_BIDI},
        {RLE "x", TEXT_BIDI},
        {LRO "x", TEXT_BIDI},
        {LRI "x", TEXT_BIDI},
        {RLI "x", TEXT_BIDI},
        {FSI "x", TEXT_BIDI},
        {"x" PDI, TEXT_BIDI}, // would close the isolate that a page has put around the text
        {"x" PDF, TEXT_BIDI},
        {PDI "x" LRI, TEXT_BIDI},
        {LRE "x" PDI, TEXT_BIDI},
        {LRI "x" PDF, TEXT_BIDI},
        {RLI "x" PDI PDI, TEXT_BIDI},
        {RLE "x" PDF PDF, TEXT_BIDI},
        {RLE RLI "x" PDI, TEXT_BIDI},
        {RLO "a\nb", TEXT_BIDI}, // what shows line feeds as spaces
    };
    CHECK_COMMENTS(cases);
    assert_int_equal(text_rules_check_name(&defaults, RLO "nna", 6), TEXT_BIDI);
}

static void test_nesting_is_known_as_deep_as_the_algorithm_goes(void **state) {
    (void)state;
    char text[2 * 126 * 3 + 1];
    for (size_t depth = 125; depth <= 126; depth++) {
        for (size_t i = 0; i < depth; i++) memcpy(text + 3 * i, RLI, 3);
        for (size_t i = depth; i < 2 * depth; i++) memcpy(text + 3 * i, PDI, 3);
        enum text_rule broken =
            text_rules_check_comment(&(struct text_rules){.on = 1u << TEXT_BIDI}, text, 6 * depth);
        assert_int_equal(broken, depth == 125 ? TEXT_FINE : TEXT_BIDI);
    }
}

#define MARKS_8 "\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308"

static void test_marks_do_not_pile_up(void **state) {
    (void)state;
    static const struct text_case cases[] = {
        {"a" MARKS_8 "b" MARKS_8, TEXT_FINE},
        {"a" MARKS_8 "\u0309", TEXT_MARKS},
        {"ab" MARKS_8 "\u20dd", TEXT_MARKS}, // one that encloses
        {MARKS_8 "\u0309", TEXT_MARKS},      // on nothing
        {"Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324\u031e\u0349\u035a", TEXT_MARKS},
        {"a" MARKS_8 "\u200d" MARKS_8, TEXT_MARKS}, // joiners between them change nothing
        {"a" MARKS_8 "\u034f\u0301", TEXT_MARKS},
        {"ก"
         "\u0e49\u0e49\u0e49\u0e49\u0e49\u0e49\u0e49\u0e49\u0e49",
         TEXT_MARKS},
        {"क"
         "\u0941\u0903\u0941\u0941\u0941\u0941\u0941\u0941\u0941\u0941",
         TEXT_MARKS}, // nor do broad ones
    };
    CHECK_COMMENTS(cases);
    static const char name[] = "n" MARKS_8 "\u0309";
    assert_int_equal(text_rules_check_name(&defaults, name, sizeof name - 1), TEXT_MARKS);
}

static void test_a_name_is_one_line(void **state) {
    (void)state;
    static const char *const names[] = {"a\nb", "a\rb",       "a\r\nb",   "a\n",
                                        "\na",  "a\xc2\x85z", "a\u2028b", "a\u2029"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(text_rules_check_name(&defaults, names[i], strlen(names[i])), TEXT_NAME_LINES);
    assert_int_equal(text_rules_check_name(&defaults, " ", 1), TEXT_FINE);
}

static void test_lines_are_counted_however_they_end(void **state) {
    (void)state;
    static const char *const breaks[] = {"\n", "\r", "\r\n", "\xc2\x85", "\u2028", "\u2029"};
    static const struct text_rules three = {.lines = 3};
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        char text[64];
        int len = snprintf(text, sizeof text, "a%sb%sc", breaks[i], breaks[i]);
        assert_int_equal(text_rules_check_comment(&three, text, (size_t)len), TEXT_FINE);
        len = snprintf(text, sizeof text, "a%sb%sc%s", breaks[i], breaks[i], breaks[i]);
        assert_int_equal(text_rules_check_comment(&three, text, (size_t)len), TEXT_LINES);
    }
}

static void test_blank_comments_show_nothing(void **state) {
    (void)state;
    static const struct text_case cases[] = {
        {" ", TEXT_BLANK},
        {"\t\r\n ", TEXT_BLANK},
        {"\xc2\x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005", TEXT_BLANK},
        {"\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000", TEXT_BLANK},
        {"\x7f\x7f", TEXT_BLANK},
        {"\xc2\x80\xc2\x9f", TEXT_BLANK}, // control characters of ISO 6429
        {"\u200b", TEXT_BLANK},           // zero width
        {"\u200c\u200d\u2060\ufeff", TEXT_BLANK},
        {"\u200e\u200f\u061c" RLI PDI, TEXT_BLANK},
        {"\u00ad", TEXT_BLANK},                   // soft hyphen
        {"\u115f\u1160\u3164\uffa0", TEXT_BLANK}, // Hangul fillers
        {"\u2800\u2800", TEXT_BLANK},             // braille without dots
        {"\ufe0f\u180b\U000e0061", TEXT_BLANK},   // variation selectors, tags
        {" .", TEXT_FINE},
        {"\u200b\u0645", TEXT_FINE},
        {"\u0600", TEXT_FINE}, // a format character that is seen
        {"\u2801", TEXT_FINE},
    };
    CHECK_COMMENTS(cases);
}

static void test_rules_can_be_left_out(void **state) {
    (void)state;
    static const char all[] = RLO "\n\n\n" MARKS_8 MARKS_8, blank[] = " ";
    static const struct text_rules none = {0};
    unsigned on;
    assert_int_equal(text_rules_check_comment(&none, all, sizeof all - 1), TEXT_FINE);
    assert_int_equal(text_rules_check_name(&none, all, sizeof all - 1), TEXT_FINE);
    assert_int_equal(text_rules_check_comment(&none, blank, 1), TEXT_FINE);
    assert_true(text_rules_parse("none", &on) && on == 0);
    assert_true(text_rules_parse("names,bidi,blank", &on) && on == ALL);
    assert_true(text_rules_parse("bidi", &on) && on == 1u << TEXT_BIDI);
    static const char *const wrong[] = {"", "names,", ",names", "name", "names, bidi", "lines"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(text_rules_parse(wrong[i], &on));
}

static void test_each_rule_has_a_code_and_a_sentence(void **state) {
    (void)state;
    char sentences[TEXT_RULES][160];
    for (int rule = 1; rule < TEXT_RULES; rule++) {
        text_rule_sentence((enum text_rule)rule, &defaults, sentences[rule], sizeof sentences[rule]);
        assert_int_equal(sentences[rule][strlen(sentences[rule]) - 1], '.');
        for (int other = 1; other < rule; other++) {
            assert_string_not_equal(sentences[rule], sentences[other]);
            assert_string_not_equal(text_rule_code((enum text_rule)rule),
                                    text_rule_code((enum text_rule)other));
        }
    }
    assert_string_equal(sentences[TEXT_LINES], "A comment may have 40 lines at most.");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest_texts_of_many_scripts_pass),
        cmocka_unit_test(test_what_turns_the_direction_is_closed_within_the_text),
        cmocka_unit_test(test_nesting_is_known_as_deep_as_the_algorithm_goes),
        cmocka_unit_test(test_marks_do_not_pile_up),
        cmocka_unit_test(test_a_name_is_one_line),
        cmocka_unit_test(test_lines_are_counted_however_they_end),
        cmocka_unit_test(test_blank_comments_show_nothing),
        cmocka_unit_test(test_rules_can_be_left_out),
        cmocka_unit_test(test_each_rule_has_a_code_and_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
