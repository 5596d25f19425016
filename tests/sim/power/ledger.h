// What was appended and answered, and what a store may hold of it after a kill or a power cut. Each text is
// appended under one number of its own and, with a token, perhaps again: so texts tell what is there.
//
// The first thing found wrong is kept as a sentence.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/position.h"

struct store;

enum { LEDGER_TEXTS = 4096, LEDGER_VIDEOS = 6 };

struct ledger_text {
    unsigned video;
    bool has_token;
    bool answered;  // at this position, if not lost since
    bool lost;      // by a power cut without `durable`, or by going back to a backup
    bool is_safe;   // seen after a power cut, or in a restored backup: never lost again
    bool in_backup; // answered before the last backup was made
    struct position at;
    unsigned order; // of its answer; 0: it is not known when it was stored
};

struct ledger {
    struct ledger_text texts[LEDGER_TEXTS]; // 1 is the first
    unsigned count, answers;
    uint64_t log_entries; // what a video keeps at least
    struct ledger_number *numbers;
    char wrong[256];
};

void ledger_release(struct ledger *);
void ledger_wrong(struct ledger *, const char *format, ...) __attribute__((format(printf, 2, 3)));

// A new text, to be appended; 0: there is no room for more.
unsigned ledger_add(struct ledger *, unsigned video, bool has_token);

// A number was given to a text, in an answer or a log.
void ledger_saw(struct ledger *, unsigned video, struct position, unsigned text);
void ledger_answered(struct ledger *, unsigned text, struct position, bool repeated);

// Which of what was answered must be there.
enum ledger_must {
    LEDGER_ALL,    // all: only the process has ended, or the store is durable
    LEDGER_OLDEST, // all up to some answer, and nothing after it
    LEDGER_BACKUP, // what is in the backup
};

// Reads all logs and compares. What LEDGER_OLDEST and LEDGER_BACKUP allow to be missing is lost from now on.
void ledger_compare(struct ledger *, struct store *, enum ledger_must);
