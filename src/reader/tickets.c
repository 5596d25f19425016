#include "tickets.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/random.h"

#define WEEK_MS INT64_C(604800000)

enum {
    KEPT_WEEKS = 4, // from the week before its own on, with a spare one
    ASK_EVERY_MS = 5000,
    FIRST_USE_MS = 30000,
    AHEAD_MS = 5000 // how far the clock of another reader may be ahead
};

static struct ticket_key *tickets_key(struct tickets *t, int64_t at_ms) {
    struct ticket_key *k = &t->keys[(uint64_t)(at_ms / WEEK_MS) % TICKET_KEYS];
    return k->known && k->week == at_ms / WEEK_MS ? k : NULL;
}

static void on_ticket_secret(void *arg, enum engine_status status, const unsigned char *secret) {
    struct ticket_key *k = arg;
    k->tickets->outstanding--;
    if (status != ENGINE_OK) return;
    memcpy(k->bytes, secret, TICKET_KEY);
    k->known = true;
}

static void tickets_ask(struct tickets *t, int64_t week) {
    struct ticket_key *k = &t->keys[(uint64_t)week % TICKET_KEYS];
    unsigned char offered[ENGINE_SECRET];
    char name[ENGINE_SECRET_NAME_MAX + 1];
    if ((k->known && k->week == week) || !random_bytes(offered, sizeof offered)) return;
    *k = (struct ticket_key){.tickets = t, .week = week};
    snprintf(name, sizeof name, "tickets:%" PRId64, week);
    t->outstanding++;
    t->engine->ops->secret(t->engine, name, offered, KEPT_WEEKS * WEEK_MS, on_ticket_secret, k);
}

void tickets_start(struct tickets *t, struct engine *engine, const char *reader_url, int64_t now_ms) {
    *t = (struct tickets){.engine = engine, .reader_url = reader_url, .started_ms = now_ms};
    tickets_sweep(t, now_ms);
}

// A query is not repeated before the one before it is answered, because both are for the same place.
void tickets_sweep(struct tickets *t, int64_t now_ms) {
    if (!t->engine || t->outstanding || now_ms - t->asked_ms < ASK_EVERY_MS) return;
    t->asked_ms = now_ms;
    for (int i = -1; i < TICKET_KEYS - 1; i++) tickets_ask(t, now_ms / WEEK_MS + i);
}

bool tickets_are_settled(const struct tickets *t) {
    return !t->outstanding;
}

void tickets_release(struct tickets *t) {
    spent_nonces_release(&t->spent);
    memset(t->keys, 0, sizeof t->keys);
}

bool tickets_write(struct tickets *t, struct buf *out, const char *reader_url, const char *user,
                   const char *video, int64_t until_s, int64_t now_ms) {
    const struct ticket_key *k = t->engine ? tickets_key(t, now_ms) : NULL;
    struct ticket ticket = {.issued_ms = now_ms, .until_s = until_s};
    if (!k || !random_bytes(&ticket.nonce, sizeof ticket.nonce)) return false;
    if (!ticket.nonce) ticket.nonce = 1;
    snprintf(ticket.user, sizeof ticket.user, "%s", user);
    snprintf(ticket.video, sizeof ticket.video, "%s", video);
    ticket_write(out, &ticket, k->bytes, reader_url);
    return true;
}

// What was issued before this reader started may have been used then.
static bool ticket_is_fresh(const struct tickets *t, const struct ticket *ticket, int64_t now_ms) {
    return ticket->issued_ms >= t->started_ms && now_ms - ticket->issued_ms <= FIRST_USE_MS &&
           !spent_nonces_has(&t->spent, ticket->nonce);
}

enum ticket_verdict tickets_read(struct tickets *t, const char *text, bool resumes, int64_t now_ms,
                                 struct ticket *ticket) {
    int64_t issued_ms;
    if (!t->engine || !ticket_issued(text, &issued_ms)) return TICKET_REFUSED;
    if (issued_ms > now_ms + AHEAD_MS || issued_ms / WEEK_MS < now_ms / WEEK_MS - 1) return TICKET_REFUSED;
    const struct ticket_key *k = tickets_key(t, issued_ms);
    if (!k) return TICKET_UNKNOWN;
    if (!ticket_read(ticket, text, k->bytes, t->reader_url)) return TICKET_REFUSED;
    if (!resumes && !ticket_is_fresh(t, ticket, now_ms)) return TICKET_REFUSED;
    return ticket->until_s * 1000 > now_ms ? TICKET_GOOD : TICKET_OVER;
}

bool tickets_spend(struct tickets *t, uint64_t nonce, int64_t now_s) {
    return spent_nonces_add(&t->spent, nonce, now_s);
}
