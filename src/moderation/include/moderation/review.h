// The review hook: a service of the host's that is asked about each comment before it is stored. It gets
// POST URL {"id","video","user","name","text"} and answers 200 with what review_answer.h says. What is not
// answered so within the time limit has failed, and the fallback applies: to allow the comment, or to refuse
// it for now. So it does at once while the breaker (breaker.h) is open, and beyond REVIEW_UNDER_WAY questions
// under way. The connections are kept alive, at most REVIEW_CONNECTIONS; further questions wait for one, and
// their time runs.
//
// A change of the breaker is logged, once each. Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/durations.h"

struct loop;
struct review;
struct stream_ops;
struct text_rules;

enum { REVIEW_UNDER_WAY = 256, REVIEW_CONNECTIONS = 64, REVIEW_SENTENCE_MAX = 200, REVIEW_ID_SIZE = 33 };

enum review_action {
    REVIEW_ALLOW,
    REVIEW_DENY,
    REVIEW_HOLD,
    REVIEW_REPLACE,
    REVIEW_UNAVAILABLE, // it failed, and the fallback is to refuse
    REVIEW_STOPPING     // the process ends
};

// Valid during the callback.
struct review_verdict {
    enum review_action action;
    const char *text; // REVIEW_REPLACE: the text instead; REVIEW_DENY: a sentence for the user, or NULL
    size_t len;
};

struct review_question {
    const char *id; // the same for a repeat of the same post
    const char *video, *user;
    const char *name; // NULL: none
    size_t name_len;
    const char *text;
    size_t text_len;
};

struct review_counters {
    uint64_t answers[REVIEW_REPLACE + 1];
    uint64_t failures;     // no answer, or none that is understood
    uint64_t skipped;      // not asked: the breaker was open
    uint64_t overflows;    // not asked: too many were under way
    struct durations took; // the questions, answered or not
};

struct review_config {
    const char *url;
    const struct stream_ops *tls;   // for the URL's host, if it is https (net/tls.h); borrowed
    const struct text_rules *texts; // which a replacement has to keep; borrowed
};

struct review_bounds {
    int timeout_ms;
    bool refuses; // the fallback
};

struct review *review_new(struct loop *, const struct review_config *, const struct review_bounds *);

// Calls back what is under way with REVIEW_STOPPING, inside this call. NULL is fine.
void review_free(struct review *);

// Changes the bounds, from the next question on.
void review_set(struct review *, const struct review_bounds *);

// Called exactly once for a question, never from inside review_ask(), except by review_free().
typedef void review_cb(void *arg, const struct review_verdict *);

// Asks. Returns false, and does not call back, if it is not asked now: review_fallback() is the answer.
bool review_ask(struct review *, const struct review_question *, review_cb *, void *arg);

// REVIEW_ALLOW or REVIEW_UNAVAILABLE.
enum review_action review_fallback(const struct review *);

// NULL has none.
const struct review_counters *review_counters(const struct review *);
unsigned review_under_way(const struct review *);
bool review_is_failing(const struct review *); // the breaker is open
