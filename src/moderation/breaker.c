#include "breaker.h"

bool breaker_admits(struct breaker *b, int64_t now_ms) {
    if (!b->open) return true;
    if (b->probing || now_ms < b->next_probe_ms) return false;
    b->probing = true;
    return true;
}

// Calls that were made before it opened end later, and a success of theirs counts as well.
bool breaker_note(struct breaker *b, bool success, int64_t now_ms) {
    bool was_open = b->open;
    b->failures = success ? 0 : b->failures + 1;
    b->open = b->failures >= BREAKER_FAILURES;
    b->probing = false;
    if (b->open) b->next_probe_ms = now_ms + BREAKER_REST_MS;
    return b->open != was_open;
}
