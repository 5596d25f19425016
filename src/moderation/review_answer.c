#include "review_answer.h"

#include <string.h>

#include "base/json_reader.h"
#include "service/text_rules.h"

struct answer_members {
    char action[16], text[COMMENT_MAX + 1], sentence[REVIEW_SENTENCE_MAX + 1];
    ptrdiff_t action_len, text_len, sentence_len; // negative: none
};

static ptrdiff_t read_text(struct json_reader *r, char *text, size_t size) {
    return json_reader_next(r) == JSON_TOKEN_STRING ? json_reader_copy(r, text, size) : -1;
}

static bool read_members(struct answer_members *m, const char *body, size_t len) {
    struct json_reader r;
    json_reader_init(&r, body, len);
    if (json_reader_next(&r) != JSON_TOKEN_OBJECT) return false;
    while (json_reader_next(&r) == JSON_TOKEN_KEY) {
        if (json_reader_equals(&r, "action"))
            m->action_len = read_text(&r, m->action, sizeof m->action);
        else if (json_reader_equals(&r, "text"))
            m->text_len = read_text(&r, m->text, sizeof m->text);
        else if (json_reader_equals(&r, "sentence"))
            m->sentence_len = read_text(&r, m->sentence, sizeof m->sentence);
        else
            json_reader_next(&r);
        if (!json_reader_skip(&r)) return false;
    }
    return r.last == JSON_TOKEN_OBJECT_END && json_reader_next(&r) == JSON_TOKEN_END;
}

static bool find_action(const struct answer_members *m, enum review_action *action) {
    static const char *const names[] = {[REVIEW_ALLOW] = "allow",
                                        [REVIEW_DENY] = "deny",
                                        [REVIEW_HOLD] = "hold",
                                        [REVIEW_REPLACE] = "replace"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        *action = (enum review_action)i;
        if (m->action_len == (ptrdiff_t)strlen(names[i]) && !strcmp(m->action, names[i])) return true;
    }
    return false;
}

static void take_text(struct review_answer *a, const char *text, ptrdiff_t len) {
    a->len = (size_t)len;
    memcpy(a->text, text, a->len);
    a->text[a->len] = 0;
}

static bool can_be_shown(const char *text, ptrdiff_t len) {
    static const struct text_rules one_line = {.on = 1u << TEXT_NAME_LINES | 1u << TEXT_BIDI};
    return len > 0 && !text_has_control(text, (size_t)len) &&
           !text_rules_check_name(&one_line, text, (size_t)len);
}

bool review_answer_read(struct review_answer *a, const char *body, size_t len,
                        const struct text_rules *rules) {
    struct answer_members m = {.action_len = -1, .text_len = -1, .sentence_len = -1};
    a->len = 0;
    if (!read_members(&m, body, len) || !find_action(&m, &a->action)) return false;
    if (a->action == REVIEW_DENY && can_be_shown(m.sentence, m.sentence_len))
        take_text(a, m.sentence, m.sentence_len);
    if (a->action != REVIEW_REPLACE) return true;
    if (m.text_len <= 0 || text_has_control(m.text, (size_t)m.text_len)) return false;
    if (text_rules_check_comment(rules, m.text, (size_t)m.text_len)) return false;
    take_text(a, m.text, m.text_len);
    return true;
}
