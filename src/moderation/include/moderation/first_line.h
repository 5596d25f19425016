// The first line of moderation, which needs no service: a file of words that are not allowed, links,
// shouting, and texts that a user posts again; and strikes, refusals that add up to a time-out. Each is off
// unless set. The file is read again at SIGHUP and when it changes, which is looked for every second; while
// it is missing or wrong the list before remains. What is remembered is this process's own. Control loop
// only; reads the file, which should be local.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct first_line;
struct loop;

enum { FIRST_LINE_WORDS_BYTES = 4 << 20 }; // of the file

// What it makes of a comment, in the order in which it looks.
enum first_finding { FIRST_FINE, FIRST_WORD, FIRST_LINK, FIRST_CAPITALS, FIRST_REPEATED, FIRST_FINDINGS };

struct first_line_rules {
    bool links_refused;
    unsigned capitals_percent, capitals_from; // 100: any share; and of so many letters
    int64_t repeat_ms;                        // 0: texts may be repeated
    unsigned strikes;                         // 0: they are not counted
    int64_t strikes_within_ms, time_out_ms;
};

// `words`: the file, or NULL. Returns NULL, with a clause about it, if it cannot be read.
struct first_line *first_line_new(struct loop *, const char *words, const struct first_line_rules *,
                                  char *why, size_t why_size);
void first_line_free(struct first_line *); // NULL is fine

// Changes the rules, from the next comment on.
void first_line_set(struct first_line *, const struct first_line_rules *);

// Whether it looks at comments at all.
bool first_line_is_on(const struct first_line *);

// Reads the file again. Returns whether its words are in force; true if there is none.
bool first_line_read_words(struct first_line *);

struct first_line_comment {
    const char *user;
    const char *key; // user and Idempotency-Key; empty: none
    const char *name, *text;
    size_t name_len, text_len; // 0: no name
};

// Returns what is wrong with a comment. One that is FIRST_FINE is remembered as posted.
enum first_finding first_line_check(struct first_line *, const struct first_line_comment *, int64_t now_ms);

// Forgets one that was not stored after all, so that its user may send it again.
void first_line_forget(struct first_line *, const char *user, const char *text, size_t len);

// Counts a refusal for what a user wrote. Returns for how long the user is to be timed out on the video, in
// ms; 0: not.
int64_t first_line_strike(struct first_line *, const char *user, const char *video, int64_t now_ms);

// The stable code of a finding, and its sentence for the author. Literals.
const char *first_finding_code(enum first_finding);
const char *first_finding_sentence(enum first_finding);
