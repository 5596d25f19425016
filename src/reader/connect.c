// reader_connect() asks placement which reader owns the video (on_placed). If it is another one, the viewer
// is redirected (connect_redirect); otherwise it joins the video's broadcast (connect_join), and when that
// has found where the stream starts, the socket goes to a fan-out worker (on_joined). At an address that
// several readers share, placement's answer chooses which of them serves the viewer (connect_choose).
#include "connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json_text.h"
#include "base/mem.h"
#include "base/minmax.h"
#include "base/process_wide.h"
#include "net/event_stream.h"
#include "net/sink.h"
#include "net/sock.h"
#include "http/exchange.h"
#include "placement/placement.h"
#include "placement/readers.h"
#include "base/budget.h"
#include "fanout/fanout.h"
#include "fanout/pending.h"
#include "reader/crowd.h"
#include "reader/reader_front.h"
#include "drain.h"
#include "moments.h"
#include "reader_core.h"
#include "redirect.h"
#include "reactions.h"
#include "room_events.h"
#include "viewer_counts.h"
#include "watched.h"
#include "service/fields.h"
#include "service/json_reply.h"
#include "service/known_videos.h"

enum {
    WARN_EVERY_MS = 10000,
    JOIN_TIMEOUT_MS = 5000,
    END_SPREAD_MS = 2000,     // over which streams end whose sessions end together
    ROOM_TIMEOUT_MS = 3000,   // for the backlogs of stalled viewers to be dropped
    SEND_BUFFER_BYTES = 65536 // the kernel doubles it, for its own bookkeeping
};

// From reader_connect() to the stream, the redirect or the refusal.
struct connect_request {
    struct join_request join; // first
    struct reader *reader;
    const struct reader_front *front; // that chooses the reader when the owner is known; NULL: it is chosen
    struct http_exchange *exchange;
    uint32_t heartbeat_s;
    int64_t until_s; // of its session; 0: none
    uint8_t asks;    // kinds of moments
    uint64_t nonce;  // as in the params
    bool whole, redirect, head_only, sends_token;
    bool elsewhere;  // another reader owns the video, and it is served here
    bool stays;      // so the store says, and it was sent here from there
    bool member;     // this reader serves the video with others
    bool confirming; // the store has been asked to confirm the owner
    char userid[ID_MAX + 1], videoid[ID_MAX + 1];
};

static void connect_free(struct connect_request *c) {
    c->reader->outstanding--;
    free(c);
}

// Returns whether a line about refused viewers is due; one for each viewer would be a flood.
static bool connect_may_log_shed(struct reader *r, int64_t now_ms) {
    if (now_ms < r->log_shed_ms) return false;
    r->log_shed_ms = now_ms + WARN_EVERY_MS;
    r->shed_logged = r->shed;
    return true;
}

static void connect_count_shed(const struct connect_request *c, const char *why) {
    struct reader *r = c->reader;
    r->shed++;
    if (!r->killed && connect_may_log_shed(r, loop_now_ms(r->service.loop)))
        log_warn(r->service.instance_id, "shed", "video=%s why=%s shed_so_far=%llu", c->videoid, why,
                 (unsigned long long)r->shed);
}

static void connect_shed(struct connect_request *c, const char *why) {
    connect_count_shed(c, why);
    http_abort(c->exchange); // a browser reconnects after a closed connection, never after an error response
    connect_free(c);
}

void connect_log_shed(struct reader *r, int64_t now_ms) {
    uint64_t more = r->shed - r->shed_logged;
    if (more && connect_may_log_shed(r, now_ms))
        log_warn(r->service.instance_id, "shed", "more=%llu shed_so_far=%llu", (unsigned long long)more,
                 (unsigned long long)r->shed);
}

// The response's head and the first event, which carries the position where the stream starts; and if older
// events come first, that of the last of them.
static struct frame *stream_head(const struct connect_request *c, const struct buf *head,
                                 enum sink_framing framing, struct position start, struct position newest) {
    const struct crowd *crowd = c->reader->config.crowd;
    struct buf event = {0};
    char id[POSITION_TEXT_SIZE], newest_id[POSITION_TEXT_SIZE], heartbeat[32] = "", json[640];
    bool is_behind = position_compare(start, newest) < 0;
    position_format(start, id);
    position_format(newest, newest_id);
    int every_ms = c->reader->config.heartbeat_ms;
    if (c->heartbeat_s && c->heartbeat_s * 1000 < (uint32_t)every_ms)
        snprintf(heartbeat, sizeof heartbeat, ",\"heartbeatMs\":%d", every_ms);
    int len =
        snprintf(json, sizeof json,
                 "{\"type\":\"connected\",\"userid\":\"%s\",\"videoid\":\"%s\",\"instance\":\"%s\"%s%s%s%s}",
                 c->userid, c->videoid, c->reader->service.instance_id, is_behind ? ",\"newest\":\"" : "",
                 is_behind ? newest_id : "", is_behind ? "\"" : "", heartbeat);
    event_stream_add_retry(&event, crowd ? crowd->retry_ms : 0);
    event_stream_add_event(&event, id, NULL, json, (size_t)len);
    struct frame *f = frame_of_head(head->data, head->len, event.data, event.len, framing);
    buf_release(&event);
    return f;
}

static void warn_out_of_descriptors(struct reader *r) {
    struct rlimit limit = {0};
    int64_t now = loop_now_ms(r->service.loop);
    if (now < r->warn_descriptors_ms) return;
    r->warn_descriptors_ms = now + WARN_EVERY_MS;
    getrlimit(RLIMIT_NOFILE, &limit);
    log_warn(r->service.instance_id, "out_of_descriptors",
             "ulimit=%llu action=\"closing new viewers; raise ulimit -n, or use --own-descriptors\"",
             (unsigned long long)limit.rlim_cur);
}

// When a stream ends, by the loop's clock; 0: not by itself.
static int64_t connect_ends_ms(const struct connect_request *c) {
    if (!c->until_s) return 0;
    int64_t left_ms = c->until_s * 1000 - clock_wall_ms();
    return loop_now_ms(c->reader->service.loop) + left_ms + (int64_t)(hash_random() % END_SPREAD_MS) + 1;
}

PROCESS_WIDE static int64_t other_descriptors; // what the process has open beside viewers and requests

void connect_count_descriptors(void) {
    if (!other_descriptors) other_descriptors = max(sock_lowest_free(), 0);
}

// A part of the descriptors is reserved, so that health checks and posts get through however many streams
// there are: 64 for requests, and 16 that accepting leaves to the process; less where there are few.
static bool connect_has_descriptor(const struct reader *r, int fd) {
    struct rlimit limit;
    if (fd < 0 || getrlimit(RLIMIT_NOFILE, &limit)) return true;
    rlim_t most = limit.rlim_cur - (limit.rlim_cur / 8 < 80 ? limit.rlim_cur / 8 : 80);
    if (!fanout_shares_descriptors(r->env.fanout)) return (rlim_t)fd < most;
    return (rlim_t)other_descriptors + fanout_viewers(r->env.fanout) < most;
}

// Hands the sink and the frames over to the fan-out. Returns false if there is no room.
static bool connect_hand_over(const struct connect_request *c, struct broadcast *b, const struct sink *sink,
                              struct pending *frames) {
    struct reader *r = c->reader;
    if (sink->fd >= 0) {
        // Bounds what the kernel holds for a viewer that does not read, so that it soon counts as slow; and
        // disconnects one whose machine has vanished as early as one that accepts no data (RFC 5482).
        sock_set_send_buffer(sink->fd, SEND_BUFFER_BYTES);
        sock_set_user_timeout(sink->fd, r->config.stall_ms);
    }
    if (connect_has_descriptor(r, sink->fd)) {
        viewer_counts_join(r, b, c->asks, c->elsewhere);
        room_events_join(r, b, c->asks);
        reactions_join(r, b, c->asks);
        if (broadcast_add(b, sink, c->asks, c->whole, frames)) return true;
        viewer_counts_changed(b);
    }
    warn_out_of_descriptors(r);
    fanout_evict(r->env.fanout);
    return false;
}

static const char *connect_shed_reason(const struct connect_request *c) {
    switch (c->join.outcome) {
    case JOIN_TOO_MANY_VIDEOS: return "too_many_videos";
    case JOIN_BROADCAST_CLOSED: return c->reader->stopping ? "stopping" : "video_moved";
    case JOIN_STORE_AWAY:
    case JOIN_OVER:
    case JOIN_STARTS: break;
    }
    return "store_away";
}

// Browsers do not come back after it.
static void connect_reply_over(struct connect_request *c) {
    http_reply(c->exchange, &(struct http_reply){.status = 204, .headers = "Cache-Control: no-store\r\n"});
    connect_free(c);
}

// Whether it may be sent to another reader later by an address that is the same for all viewers (moves.h): it
// came to this reader's as a browser does, or there is only one kind of address.
static bool connect_may_move(const struct connect_request *c) {
    const struct reader_config *own = &c->reader->config;
    const struct placement_answer here = {.reader_url = own->reader_url, .public_url = own->public_url};
    if (c->front || !c->redirect) return false;
    return redirect_base(c->reader->placement, c->exchange->request, &here) ==
           (own->public_url ? own->public_url : own->reader_url);
}

static bool connect_has_place(const struct connect_request *c) {
    const struct crowd *crowd = c->reader->config.crowd;
    return !crowd || crowd_room(crowd);
}

static void connect_overflow(struct connect_request *);

static void on_joined(struct join_request *j, struct broadcast *b, struct position start,
                      struct pending *frames) {
    struct connect_request *c = (struct connect_request *)j;
    struct buf head = {0};
    struct sink sink;
    if (!frames && j->outcome == JOIN_OVER) {
        connect_reply_over(c);
        return;
    }
    if (!frames) {
        connect_shed(c, connect_shed_reason(c));
        return;
    }
    if (!connect_has_place(c)) { // others have come while it waited
        pending_free(frames);
        connect_overflow(c);
        return;
    }
    if (c->nonce &&
        !tickets_spend(&c->reader->tickets, c->nonce, loop_now_ms(c->reader->service.loop) / 1000)) {
        pending_free(frames);
        connect_shed(c, "ticket_used");
        return;
    }
    if (!connect_may_move(c)) c->asks &= (uint8_t) ~(1u << MOMENT_MOVE);
    char client[HTTP_ADDRESS_SIZE];
    http_request_client(c->exchange->request, client, sizeof client); // which ends with the exchange
    bool is_there = http_begin_stream(c->exchange, &sink, &head);
    if (is_there) sink.ends_ms = connect_ends_ms(c);
    if (is_there) sink.user = outlet_user(c->userid, strlen(c->userid));
    uint64_t stream = is_there && sink.fd >= 0 ? sock_number(sink.fd) : 0; // before a worker has it
    if (is_there)
        pending_set_head(frames, stream_head(c, &head, sink.framing, start, feed_position(&b->feed)));
    if (is_there && connect_hand_over(c, b, &sink, frames)) {
        char id[POSITION_TEXT_SIZE];
        position_format(start, id);
        if (position_is_set(c->join.last)) c->reader->resumed++;
        if (reader_may_log(c->reader))
            log_info(c->reader->service.instance_id, "connected",
                     "video=%s user=%s start=%s client=%s stream=%llu", c->videoid, c->userid, id, client,
                     (unsigned long long)stream);
    } else {
        pending_free(frames);
        if (is_there) sink_close(&sink, SINK_CUT);
        if (is_there) c->reader->shed++;
    }
    buf_release(&head);
    connect_free(c);
}

static void connect_join(struct connect_request *c) {
    struct reader *r = c->reader;
    if (!c->head_only && !connect_has_place(c)) {
        connect_overflow(c);
        return;
    }
    const struct watched *known = c->head_only ? watched_find(r, c->videoid) : NULL;
    if (known && feed_is_over(&known->broadcast.feed)) {
        connect_reply_over(c);
        return;
    }
    if (c->head_only) {
        http_reply(c->exchange, &(struct http_reply){.status = 200, .content_type = "text/event-stream"});
        connect_free(c);
        return;
    }
    c->join.deadline_ms = loop_now_ms(r->service.loop) + JOIN_TIMEOUT_MS;
    c->join.patience_ms = loop_now_ms(r->service.loop) + ROOM_TIMEOUT_MS;
    c->join.on_joined = on_joined;
    struct watched *w = watched_open(r, c->videoid);
    if (c->redirect && !c->stays) w->is_rechecked = true;
    if (c->member) w->in_set = w->was_in_set = true;
    broadcast_join(&w->broadcast, &c->join);
}

// A client that asked for it gets the address as an event, the only one of its stream: fetch() would drop
// Authorization in a redirect to another origin.
static void connect_move(struct connect_request *c, const char *location) {
    struct buf json = {0}, event = {0};
    buf_add_string(&json, "{\"type\":\"move\",\"url\":");
    json_text_add(&json, location, strlen(location));
    buf_add_string(&json, "}");
    event_stream_add_event(&event, NULL, "move", json.data, json.len);
    http_reply(c->exchange, &(struct http_reply){.status = 200,
                                                 .content_type = "text/event-stream",
                                                 .headers = "Cache-Control: no-store, no-transform\r\n"
                                                            "X-Accel-Buffering: no\r\n",
                                                 .says_how_to_cache = true,
                                                 .body = event.data,
                                                 .body_len = event.len});
    buf_release(&json);
    buf_release(&event);
}

// Adds the ticket that a viewer with a token needs where it is redirected to. Returns false if it needs one
// and cannot have it: a client that sends its token there too needs none, and a reader that has no lease by
// this URL does not know that it is meant.
static bool connect_add_ticket(const struct connect_request *c, const char *reader_url, struct buf *ticket) {
    struct reader *r = c->reader;
    if (!c->until_s || (c->sends_token && c->asks & 1u << MOMENT_MOVE)) return true;
    return (placement_is_leased(r->placement, reader_url) &&
            tickets_write(&r->tickets, ticket, reader_url, c->userid, c->videoid, c->until_s,
                          clock_wall_ms())) ||
           c->sends_token;
}

static void connect_reply_redirect(struct connect_request *c, const char *base, const char *ticket,
                                   bool stays) {
    struct reader *r = c->reader;
    char location[REDIRECT_LOCATION_SIZE];
    struct buf target = {0};
    const char *asked = http_request_target(c->exchange->request);
    if (r->tickets.engine)
        redirect_target(&target, asked, ticket);
    else
        buf_add_string(&target, asked);
    redirect_location(location, base, buf_string(&target), stays);
    buf_release(&target);
    r->redirected++;
    if (reader_may_log(r)) log_info(r->service.instance_id, "redirected", "video=%s to=%s", c->videoid, base);
    if (c->asks & 1u << MOMENT_MOVE && !c->head_only) {
        connect_move(c, location);
        connect_free(c);
        return;
    }
    static const char body[] = "{\"message\":\"Another reader has this video; see Location.\"}";
    http_reply(
        c->exchange,
        &(struct http_reply){.status = 307, .body = body, .body_len = sizeof body - 1, .location = location});
    connect_free(c);
}

// Redirects it to `base`, an address of that reader. `stays`: it is to be served there, although another
// reader may own the video. Returns false, and does nothing, if it needs a ticket and cannot have it.
static bool connect_redirect(struct connect_request *c, const char *base, const char *reader_url,
                             bool stays) {
    struct buf ticket = {0};
    bool may_go = connect_add_ticket(c, reader_url, &ticket);
    if (may_go) connect_reply_redirect(c, base, ticket.len ? buf_string(&ticket) : NULL, stays);
    buf_release(&ticket);
    return may_go;
}

static void on_placed(void *arg, const struct placement_answer *p);

// Another reader owns the video. The viewer is redirected only if the store has just confirmed that: two
// readers that trusted their caches could redirect it to each other. While the store is away, the viewer is
// served here.
static void connect_elsewhere(struct connect_request *c, const struct placement_answer *to) {
    struct reader *r = c->reader;
    if (!to->confirmed && !c->confirming) {
        c->confirming = true;
        placement_confirm(r->placement, c->videoid, !c->head_only, on_placed, c);
        return;
    }
    const char *host = http_request_header(c->exchange->request, "host");
    const char *base = redirect_base(r->placement, c->exchange->request, to);
    bool goes = base && to->confirmed;
    if (base && host && placement_url_is_at(base, host)) {
        // The viewer came to the very address that it would be redirected to. If no reader has a lease by
        // this URL, it is an alias of this reader (from the static list of a manager that knows no leases).
        if (!c->head_only && !placement_is_leased(r->placement, to->reader_url))
            watched_set_alias(r, watched_open(r, c->videoid), to->reader_url);
        connect_join(c);
    } else if (goes && redirect_is_last_hop(&r->spent_hops, http_request_target(c->exchange->request),
                                            !c->head_only)) {
        c->elsewhere = c->stays = true;
        connect_join(c);
    } else if (!goes || !connect_redirect(c, base, to->reader_url, false)) {
        c->elsewhere = true;
        connect_join(c);
    }
}

// EventSource never comes back after an error, but other clients can be told when to.
static void connect_refuse_full(struct connect_request *c) {
    const char *accept = http_request_header(c->exchange->request, "accept");
    if (accept && strstr(accept, "text/event-stream")) {
        connect_shed(c, "max_viewers");
        return;
    }
    connect_count_shed(c, "max_viewers");
    reply_unavailable(c->exchange, "reader_full", "This reader has as many viewers as it may have.");
    connect_free(c);
}

// The process has all the viewers that it may have (--max-viewers). One that was sent here, as another reader
// was full, or after two redirects, is not sent on.
static void connect_overflow(struct connect_request *c) {
    struct reader *r = c->reader;
    bool stays = c->front || !c->redirect || (c->elsewhere && !c->member) ||
                 redirect_is_last_hop(&r->spent_hops, http_request_target(c->exchange->request), true);
    const struct reader_row *other =
        stays ? NULL : crowd_other(r->config.crowd, placement_readers(r->placement));
    const char *base = NULL;
    if (other)
        base = redirect_base(
            r->placement, c->exchange->request,
            &(struct placement_answer){.reader_url = other->reader_url, .public_url = other->public_url});
    if (!base || !connect_redirect(c, base, other->reader_url, true)) connect_refuse_full(c);
}

// The owner, if it is a reader of this process, otherwise one that is the same for all viewers of the video.
static void connect_choose(struct connect_request *c, const struct placement_answer *p) {
    struct reader *r = NULL;
    if (p->status == PLACEMENT_OK) r = reader_front_owner(c->front, c->videoid, p->reader_url);
    if (!r) r = reader_front_any(c->front, c->videoid);
    if (!r) return; // this one is stopping, like the others
    c->reader->outstanding--;
    c->reader = r;
    c->reader->outstanding++;
}

// Whether this member of the set has clearly more viewers than the one that was chosen.
static bool connect_is_sent_on(const struct connect_request *c, const struct watched *w,
                               const struct placement_answer *p) {
    struct reader *r = c->reader;
    return c->redirect &&
           !redirect_is_last_hop(&r->spent_hops, http_request_target(c->exchange->request), false) &&
           placement_sends_on(r->placement, p, c->videoid, r->config.reader_url,
                              w ? broadcast_viewers(&w->broadcast) : 0);
}

static void on_placed(void *arg, const struct placement_answer *p) {
    struct connect_request *c = arg;
    if (c->front) connect_choose(c, p);
    struct reader *r = c->reader;
    if (r->stopping) {
        connect_shed(c, "stopping");
        return;
    }
    struct watched *w = watched_find(r, c->videoid);
    bool placed = p->status == PLACEMENT_OK, owner = placed && reader_owns_url(r, w, p->owner_url);
    bool leaving = drain_has_heirs(r);
    c->member = placed && reader_is_member(r, p->set) && !leaving;
    bool ours = p->set ? c->member && !connect_is_sent_on(c, w, p) : owner;
    c->elsewhere = placed && !owner && (c->member || !c->redirect);
    if (c->elsewhere && leaving) { // it is not redirected, and a proxy sends it elsewhere
        connect_shed(c, "draining");
        return;
    }
    if (owner || c->elsewhere) viewer_counts_place(r, c->videoid, owner ? NULL : p->owner_url);
    if (ours || !c->redirect || (!placed && (w || c->head_only))) {
        connect_join(c);
    } else if (placed) {
        connect_elsewhere(c, p);
    } else {
        connect_shed(c, p->status == PLACEMENT_FULL ? "too_many_videos" : "not_placed");
    }
}

// HEAD must not make a mapping.
static void connect_place(struct connect_request *c) {
    if (c->head_only)
        placement_resolve(c->reader->placement, c->videoid, on_placed, c);
    else
        placement_register(c->reader->placement, c->videoid, on_placed, c);
}

// A browser never comes back after a 404, so only a video that the store has just not found gets one.
static void on_video_known(void *arg, enum video_state state) {
    struct connect_request *c = arg;
    if (c->reader->stopping && !c->front) {
        connect_shed(c, "stopping");
    } else if (state == VIDEO_UNSURE) {
        connect_shed(c, "store_away");
    } else if (state == VIDEO_UNKNOWN) {
        known_videos_reply_unknown(c->exchange);
        connect_free(c);
    } else {
        connect_place(c);
    }
}

static void connect_begin(struct reader *r, const struct reader_front *front, struct http_exchange *x,
                          const struct connect_params *params) {
    struct connect_request *c = mem_zalloc(sizeof *c);
    c->reader = r;
    c->front = front;
    r->outstanding++;
    c->exchange = x;
    c->join.last = params->last;
    c->heartbeat_s = params->heartbeat_s;
    c->until_s = params->until_s;
    c->nonce = params->nonce;
    c->sends_token = params->sends_token;
    c->join.history = params->history;
    c->redirect = params->redirect && !front;
    c->whole = params->whole;
    c->asks = params->asks | (params->redirect || front ? 0 : FAN_STAYS);
    c->head_only = params->head_only;
    snprintf(c->userid, sizeof c->userid, "%s", params->userid);
    snprintf(c->videoid, sizeof c->videoid, "%s", params->videoid);
    history_budget_yield(r->env.budget, 0);
    if (!budget_has_room()) {
        fanout_relieve(r->env.fanout);
        fanout_evict(r->env.fanout);
    }
    watched_yield(r);
    if (!params->head_only && !budget_has_room()) {
        connect_shed(c, "out_of_memory");
        return;
    }
    enum video_state state = known_videos_look(&r->service, x, c->videoid);
    if (state == VIDEO_UNSURE)
        known_videos_ask(r->service.process->known, c->videoid, http_request_limits_key(x->request),
                         on_video_known, c);
    else
        connect_place(c);
}

void reader_connect(struct reader *r, struct http_exchange *x, const struct connect_params *params) {
    connect_begin(r, NULL, x, params);
}

void reader_front_connect(const struct reader_front *f, struct http_exchange *x,
                          const struct connect_params *params) {
    struct reader *r = reader_front_any(f, params->videoid);
    if (r)
        connect_begin(r, f, x, params);
    else
        http_abort(x); // a browser reconnects
}
