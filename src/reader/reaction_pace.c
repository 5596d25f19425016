#include "reaction_pace.h"

#include "service/reactions_topic.h"

static void pace_fill(struct reaction_pace *p, int64_t now_ms) {
    int64_t past_ms = now_ms - p->filled_ms, most_ms = 1000;
    if (past_ms > most_ms || !p->filled_ms) past_ms = most_ms;
    int64_t more = past_ms * REACTION_FEW_SENDS / 1000;
    if (!more) return; // the rest of a send counts next time
    p->sends = p->sends + more < REACTION_FEW_SENDS ? p->sends + more : REACTION_FEW_SENDS;
    p->filled_ms = now_ms;
}

bool reaction_pace_allows(struct reaction_pace *p, unsigned viewers, int64_t since_ms, int64_t now_ms) {
    if (since_ms >= REACTION_SELDOM_MS) return true;
    if (since_ms < REACTIONS_EVERY_MS || viewers > REACTION_FEW_VIEWERS) return false;
    pace_fill(p, now_ms);
    if (p->sends < viewers) return false;
    p->sends -= viewers;
    return true;
}
