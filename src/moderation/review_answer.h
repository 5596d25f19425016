// What a review hook answers: {"action":"allow"}, {"action":"deny","sentence":"..."}, {"action":"hold"} or
// {"action":"replace","text":"..."}. Other members are ignored, of a repeated one the last counts. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "moderation/review.h"
#include "service/fields.h"

struct text_rules;

struct review_answer {
    enum review_action action;
    char text[COMMENT_MAX + 1]; // of REVIEW_REPLACE, and of REVIEW_DENY the sentence, if it has one
    size_t len;
};

// Returns false if it is none of these: no JSON object, another action, or a text that a comment cannot have.
// A sentence that cannot be shown (longer than REVIEW_SENTENCE_MAX bytes, several lines) is left out.
bool review_answer_read(struct review_answer *, const char *body, size_t len, const struct text_rules *);
