#include "viewer_rights.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "connect.h"
#include "http/exchange.h"
#include "moments.h"
#include "reader/reader_front.h"
#include "reader_core.h"
#include "service/rights.h"

static bool end_exchange(struct http_exchange *x, enum ticket_verdict v) {
    struct http_refusal refusal;
    if (v == TICKET_REFUSED) {
        http_refuse(&refusal, 401, "ticket_invalid",
                    "The ticket in this address is not for this reader, was used, or is too old: begin again "
                    "where it was issued.");
        refusal.headers = "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n";
        http_reply_refusal(x, &refusal);
    }
    if (v == TICKET_UNKNOWN) http_abort(x); // a browser reconnects
    if (v == TICKET_OVER)
        http_reply(x, &(struct http_reply){.status = 204, .headers = "Cache-Control: no-store\r\n"});
    return false;
}

// Whether the client comes back by itself, to the address where it was: an address may also have a position
// where a page begins.
static bool comes_back(struct http_request *r) {
    const char *header = http_request_header(r, "last-event-id"),
               *query = http_request_query(r, "lastEventId");
    const char *given = header ? header : query;
    struct position ignored;
    return given && position_parse(given, strlen(given), &ignored);
}

static bool read_ticket(const struct reader_front *front, struct http_exchange *x, const char *text,
                        struct connect_params *c, struct identity *who) {
    struct ticket ticket;
    bool returns = comes_back(x->request);
    enum ticket_verdict v = TICKET_REFUSED;
    for (size_t i = 0; i < front->count && v == TICKET_REFUSED; i++) {
        struct reader *r = front->readers[i];
        if (r && !r->stopping) v = tickets_read(&r->tickets, text, returns, clock_wall_ms(), &ticket);
    }
    if (v != TICKET_GOOD) return end_exchange(x, v);
    *who = (struct identity){.kind = IDENTITY_USER, .rights = IDENTITY_READ, .until_s = ticket.until_s};
    snprintf(who->user, sizeof who->user, "%s", ticket.user);
    snprintf(who->videos, sizeof who->videos, "%s", ticket.video); // and a second NUL
    c->nonce = returns ? 0 : ticket.nonce;
    return true;
}

bool viewer_rights_read(const struct reader_front *front, struct http_exchange *x, struct connect_params *c,
                        struct identity *who) {
    const struct reader *any = reader_front_any(front, "");
    const struct service *s = any ? &any->service : NULL;
    const char *ticket = http_request_query(x->request, "ticket");
    c->sends_token = http_request_header(x->request, "authorization");
    if (!s) {
        http_abort(x); // a browser reconnects
        return false;
    }
    bool has_ticket = ticket && !c->sends_token && s->process && s->process->keys;
    if (has_ticket ? !read_ticket(front, x, ticket, c, who)
                   : !rights_read_stream(s, x, position_is_set(c->last), who))
        return false;
    c->until_s = who->until_s;
    return true;
}

bool viewer_rights_check(struct http_exchange *x, const struct identity *who, struct connect_params *c) {
    c->userid = identity_user(who, c->userid);
    if (!identity_may(who, IDENTITY_MODERATE, c->videoid)) c->asks &= (uint8_t) ~(1u << MOMENT_HELD);
    c->whole = c->whole && (identity_may(who, IDENTITY_EVERYTHING, c->videoid) ||
                            identity_may(who, IDENTITY_MODERATE, c->videoid));
    if (c->userid) return rights_check(x, who, IDENTITY_READ, c->videoid);
    return rights_refuse(x, IDENTITY_OTHER_USER);
}
