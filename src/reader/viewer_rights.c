#include "viewer_rights.h"

#include "connect.h"
#include "http/exchange.h"
#include "service/rights.h"

// An address must not pass a token on, and a cookie is of one origin only.
static bool is_lost_by_redirect(const struct http_exchange *x, const struct identity *who) {
    return who->kind == IDENTITY_USER && !http_request_header(x->request, "authorization");
}

bool viewer_rights_read(const struct service *s, struct http_exchange *x, struct connect_params *c,
                        struct identity *who) {
    if (!rights_read_stream(s, x, position_is_set(c->last), who)) return false;
    c->until_s = who->until_s;
    if (is_lost_by_redirect(x, who)) c->redirect = false;
    return true;
}

bool viewer_rights_check(struct http_exchange *x, const struct identity *who, struct connect_params *c) {
    c->userid = identity_user(who, c->userid);
    if (c->userid) return rights_check(x, who, IDENTITY_READ, c->videoid);
    http_reply_error(x, 403, identity_code(IDENTITY_OTHER_USER), identity_sentence(IDENTITY_OTHER_USER));
    return false;
}
