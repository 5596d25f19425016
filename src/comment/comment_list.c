// A page is read in the direction in which it is asked for: forwards from `after`, else backwards from
// `before` or the end. Where entries are no comments it takes several reads; pages read backwards are put
// together from the end.
#include "comment_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "comment_core.h"
#include "engine/engine.h"
#include "http/exchange.h"
#include "service/fields.h"
#include "service/json_reply.h"

struct comment_list {
    struct http_exchange *exchange;
    struct comment_api *api;
    struct position before, after; // not set: not given
    bool forwards;
    uint32_t limit, count, reads;
    struct buf comments; // separated by commas
    char videoid[ID_MAX + 1];
};

static void comment_list_reply(struct comment_list *l, bool more) {
    struct buf b = {0};
    buf_printf(&b, "{\"videoid\":\"%s\",\"comments\":[", l->videoid);
    buf_add(&b, l->comments.data, l->comments.len);
    buf_add_string(&b, more ? "],\"more\":true}" : "],\"more\":false}");
    http_reply(l->exchange, &(struct http_reply){.status = 200, .body = b.data, .body_len = b.len});
    buf_release(&b);
}

static void comment_list_free(struct comment_list *l) {
    l->api->lists--;
    buf_release(&l->comments);
    free(l);
}

static bool comment_list_is_full(const struct comment_list *l) {
    return l->count == l->limit || l->comments.len >= COMMENT_LIST_BYTES;
}

static void comment_list_add(struct buf *b, const struct engine_entry *e) {
    if (b->len) buf_add_string(b, ",");
    entry_write(b, e);
}

// Takes comments up to `before`. Returns whether one was left out.
static bool comment_list_take_forwards(struct comment_list *l, const struct engine_range *r) {
    for (const struct engine_entry *e = r->entries; e < r->entries + r->count; e++) {
        if (position_is_set(l->before) && position_compare(e->at, l->before) >= 0) return false;
        if (e->kind == ENTRY_COMMENT) {
            if (comment_list_is_full(l)) return true;
            comment_list_add(&l->comments, e);
            l->count++;
        }
        l->after = e->at;
    }
    return r->more;
}

// Puts comments in front of those that there are, as many as still fit. Returns whether one was left out.
static bool comment_list_take_backwards(struct comment_list *l, const struct engine_range *r) {
    const struct engine_entry *end = r->entries + r->count, *first = end;
    struct buf b = {0};
    size_t bytes = l->comments.len;
    while (first > r->entries && l->count < l->limit && bytes < COMMENT_LIST_BYTES) {
        first--;
        l->before = first->at;
        l->count += first->kind == ENTRY_COMMENT;
        bytes += first->body_len;
    }
    for (const struct engine_entry *e = first; e < end; e++)
        if (e->kind == ENTRY_COMMENT) comment_list_add(&b, e);
    if (b.len && l->comments.len) buf_add_string(&b, ",");
    buf_add(&b, l->comments.data, l->comments.len);
    buf_release(&l->comments);
    l->comments = b;
    while (first > r->entries)
        if ((--first)->kind == ENTRY_COMMENT) return true;
    return r->more;
}

static void comment_list_refuse(struct http_exchange *x) {
    reply_unavailable(x, "overloaded", "Too many requests are waiting; try again soon.");
}

static void comment_list_read(struct comment_list *);

static void on_comment_list_range(void *arg, enum engine_status status, const struct engine_range *r) {
    struct comment_list *l = arg;
    if (status == ENGINE_OK) {
        bool more = l->forwards ? comment_list_take_forwards(l, r) : comment_list_take_backwards(l, r);
        if (more && r->count && !comment_list_is_full(l) && l->reads < COMMENT_LIST_READS) {
            comment_list_read(l);
            return;
        }
        comment_list_reply(l, more);
    } else if (status == ENGINE_BUSY) {
        comment_list_refuse(l->exchange);
    } else {
        reply_unavailable(l->exchange, "store_unavailable",
                          "The comments could not be read; try again soon.");
    }
    comment_list_free(l);
}

static void comment_list_read(struct comment_list *l) {
    struct engine *e = l->api->placed.service.engine;
    // One read is enough, unless there are other entries.
    size_t limit = l->reads ? COMMENT_LIST_MAX : l->limit;
    l->reads++;
    if (l->forwards) // one more, which may be the one that ends the page
        e->ops->range(e, l->videoid, l->after, limit + 1, on_comment_list_range, l);
    else
        e->ops->range_before(e, l->videoid, l->before, limit, on_comment_list_range, l);
}

// Reads a field of the query. Returns false, and has replied, if it is given and malformed.
static bool query_position(struct http_exchange *x, const char *name, struct position *p) {
    const char *text = http_request_query(x->request, name);
    *p = (struct position){0};
    if (!text || position_parse(text, strlen(text), p)) return true;
    refuse_field(x, name, "must be the id of a comment: two numbers with a dash between.");
    return false;
}

void comment_list_handle(struct http_exchange *x, struct comment_api *a) {
    const char *videoid;
    struct comment_list asked = {.exchange = x, .api = a, .limit = COMMENT_LIST_DEFAULT};
    if (!path_id(x, &videoid) || !query_position(x, "before", &asked.before) ||
        !query_position(x, "after", &asked.after) ||
        !query_number(x, "limit", 1, COMMENT_LIST_MAX, &asked.limit))
        return;
    if (a->lists == COMMENT_LISTS) {
        comment_list_refuse(x);
        return;
    }
    a->lists++;
    struct comment_list *l = mem_alloc(sizeof *l);
    *l = asked;
    l->forwards = position_is_set(l->after);
    memcpy(l->videoid, videoid, strlen(videoid) + 1);
    comment_list_read(l);
}
