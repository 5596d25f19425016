// An engine that keeps everything in memory, for the tests: a second store behind local.h, and the proof that
// nothing above an engine needs a file. It replaces embedded_open() at link time.
//
// Requests wait until the turn of the loop ends, and are then carried out and called back, one after the
// other. So answers may point into the store.
//
// Unlike the other engines: nothing outlives the process, so unused mappings and leases are kept until then;
// the overview has mappings in no particular order; all counters are one, as the program has only one.
#include "engine/embedded.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/name_table.h"
#include "base/uthash.h"
#include "engine/lease.h"
#include "engine/local.h"
#include "engine/numbering.h"
#include "memory_gate.h"

struct logged {
    struct engine_entry entry; // owns its body
    int64_t at_ms, bytes;      // bytes: of the video's bodies up to here
};

struct token {
    struct engine_token is;
    struct position at;
    int64_t added_ms;
    struct token *next; // older
};

struct video {
    struct name_entry entry;
    bool stored; // counts; else it is only noted as watched
    struct position at, prev;
    struct logged *log; // oldest first
    size_t count, room;
    int64_t bytes, watched_until_ms;
    struct token *tokens;
    struct memory_gate gate;
    char *reader;  // mapped to, or NULL
    uint64_t used; // last, by store.clock
    uint64_t set_generation;
    char *set; // of readers; NULL: none
};

struct settings {
    struct name_entry entry;
    char *text;
};

enum { SECRETS = 8 };

struct store {
    struct engine_limits limits;
    struct name_table videos, settings;
    size_t stored;
    uint64_t clock, epoch, comments, counter;
    struct logged newest[ENGINE_NEWEST]; // the n-th comment at n modulo that
    struct lease *leases;
    unsigned char secrets[SECRETS][ENGINE_SECRET];
    char secret_names[SECRETS][ENGINE_SECRET_NAME_MAX + 1]; // they do not expire
};

struct memory {
    struct local_engine local; // first
    struct store store;
    struct engine_stats stats;
    struct loop_job reap;
};

// Videos

static struct video *find(const struct store *s, const char *name) {
    struct name_entry *e = name_table_find(&s->videos, name);
    return e ? container_of(e, struct video, entry) : NULL;
}

static struct video *find_stored(const struct store *s, const char *name) {
    struct video *v = find(s, name);
    return v && v->stored ? v : NULL;
}

static struct video *find_or_note(struct store *s, const char *name) {
    struct video *v = find(s, name);
    if (v) return v;
    v = mem_zalloc(sizeof *v);
    v->entry.name = mem_strdup(name);
    name_table_add(&s->videos, &v->entry);
    return v;
}

// Drops entries that have expired, or that the video has too many newer ones of.
static void prune(struct store *s, struct video *v) {
    int64_t now_ms = clock_monotonic_ms();
    size_t gone = 0;
    for (; gone < v->count; gone++) {
        const struct logged *l = &v->log[gone];
        int64_t newer = (int64_t)(v->count - 1 - gone);
        if (!limits_expired(&s->limits, now_ms, l->at_ms) &&
            limits_keep(&s->limits, now_ms, l->at_ms, newer, v->bytes - l->bytes))
            break;
        free((char *)l->entry.body);
    }
    v->count -= gone;
    if (gone) memmove(v->log, v->log + gone, v->count * sizeof *v->log);
}

static void drop(struct store *s, struct video *v) {
    for (size_t i = 0; i < v->count; i++) free((char *)v->log[i].entry.body);
    struct token *t, *next;
    LL_FOREACH_SAFE(v->tokens, t, next) free(t);
    memory_gate_release(&v->gate);
    free(v->log);
    free(v->reader);
    free(v->set);
    s->stored -= v->stored;
    name_table_remove(&s->videos, &v->entry);
    free((char *)v->entry.name);
    free(v);
}

// Returns the video to evict: the least recently used that is not in use, those without a comment first.
static struct video *find_victim(struct store *s, bool commented) {
    struct video *victim = NULL;
    for (struct name_entry *e = name_table_next(&s->videos, NULL); e; e = name_table_next(&s->videos, e)) {
        struct video *v = container_of(e, struct video, entry);
        if (!v->stored || (v->at.seq && !commented)) continue;
        prune(s, v);
        bool in_use = v->count || v->watched_until_ms > clock_monotonic_ms();
        if (!in_use && (!victim || v->used < victim->used)) victim = v;
    }
    return victim;
}

static struct video *find_or_add(struct store *s, const char *name, enum engine_status *status) {
    struct video *v = find_stored(s, name);
    if (v) return v;
    while (s->limits.max_videos && s->stored >= s->limits.max_videos) {
        struct video *victim = find_victim(s, false);
        if (!victim && !(victim = find_victim(s, true))) {
            *status = ENGINE_FULL;
            return NULL;
        }
        drop(s, victim);
    }
    s->stored++;
    v = find_or_note(s, name);
    v->stored = true;
    return v;
}

// The log

static void begin_epoch(struct store *s, struct video *v, struct position known) {
    v->at = (struct position){numbering_new_epoch(clock_wall_ms(), v->at, known, &s->epoch), 0};
}

static void add(struct store *s, struct video *v, struct engine_entry *e) {
    if (v->count == v->room) v->log = mem_realloc(v->log, (v->room = v->room * 2 + 4) * sizeof *v->log);
    v->at.seq++;
    e->at = v->at;
    v->bytes += (int64_t)e->body_len;
    struct logged l = {.entry = *e, .at_ms = clock_monotonic_ms(), .bytes = v->bytes};
    l.entry.body = mem_strndup(e->body, e->body_len);
    v->log[v->count++] = l;
    if (e->kind == ENTRY_COMMENT) {
        struct logged *place = &s->newest[++s->comments % ENGINE_NEWEST];
        free((char *)place->entry.body);
        l.entry.body = mem_strndup(e->body, e->body_len);
        *place = l;
    }
    prune(s, v);
}

// Begins an epoch where one has to begin.
static void announce_loss(struct store *s, struct video *v, struct position known,
                          struct engine_entry *loss) {
    struct position kept;
    v->used = ++s->clock;
    if (numbering_finds_loss(v->at, v->prev, known, &kept)) {
        *loss = (struct engine_entry){.prev = kept, .kind = ENTRY_TOMBSTONE, .body = ""};
        begin_epoch(s, v, known);
        v->prev = (struct position){0};
        add(s, v, loss);
    } else if (!position_is_set(v->at)) {
        begin_epoch(s, v, (struct position){0});
    }
}

// An expired token is followed by its successor, which is found first.
static const struct token *find_token(const struct store *s, const struct video *v,
                                      const struct engine_token *token) {
    const struct token *t = v ? v->tokens : NULL;
    while (t && memcmp(t->is.name, token->name, ENGINE_DIGEST) != 0) t = t->next;
    return t && !limits_expired(&s->limits, clock_monotonic_ms(), t->added_ms) ? t : NULL;
}

static void run_append(struct store *s, struct request *r) {
    struct append_request *a = (struct append_request *)r;
    struct video *v = find_stored(s, a->video);
    const struct token *t = a->has_token ? find_token(s, v, &a->token) : NULL;
    struct memory_post post = {.video = a->video,
                               .gate = &a->gate,
                               .token = a->has_token ? &a->token : NULL,
                               .body = a->asked.body,
                               .body_len = a->asked.body_len,
                               .wall_ms = clock_wall_ms(),
                               .now_ms = clock_monotonic_ms()};
    a->entry = a->asked;
    if (!v && a->has_gate && a->gate.checks == GATE_HOLD && !(v = find_or_add(s, a->video, &r->status)))
        return;
    if (t) {
        if (memcmp(t->is.digest, a->token.digest, ENGINE_DIGEST) != 0) r->status = ENGINE_KEY_REUSED;
        a->repeated = true;
        a->first.at_ms = t->is.at_ms;
        a->entry.at = t->at;
    } else if (v && a->has_gate && !memory_gate_admits(&v->gate, &post, &a->refusal)) {
        r->status = ENGINE_REFUSED;
    } else if ((v = find_or_add(s, a->video, &r->status))) {
        announce_loss(s, v, a->known, &a->loss);
        add(s, v, &a->entry);
        if (!a->has_token) return;
        struct token *new = mem_alloc(sizeof *new);
        *new = (struct token){.is = a->token, .at = v->at, .added_ms = clock_monotonic_ms()};
        LL_PREPEND(v->tokens, new);
    }
}

// What is left of a comment that is taken out.
static void blank(struct store *s, struct logged *l, struct amend_request *a) {
    for (int i = 0; i < ENGINE_NEWEST; i++) {
        struct engine_entry *newest = &s->newest[i].entry;
        if (newest->body_len == l->entry.body_len && position_compare(newest->at, l->entry.at) == 0 &&
            !memcmp(newest->body, l->entry.body, l->entry.body_len)) {
            free((char *)newest->body);
            *newest = (struct engine_entry){.kind = ENTRY_BLANK};
        }
    }
    free((char *)l->entry.body);
    l->entry = (struct engine_entry){
        .at = l->entry.at, .prev = l->entry.prev, .kind = ENTRY_BLANK, .body = mem_strdup("")};
    a->taken++;
}

static struct logged *find_logged(struct video *v, struct position at) {
    for (size_t i = 0; v && i < v->count; i++)
        if (position_compare(v->log[i].entry.at, at) == 0) return &v->log[i];
    return NULL;
}

static void run_amend(struct store *s, struct request *r) {
    struct amend_request *a = (struct amend_request *)r;
    struct video *v = find_stored(s, a->video);
    if (v) prune(s, v);
    if (position_is_set(a->target)) {
        struct logged *l = find_logged(v, a->target);
        bool retracts = a->asked.kind == ENTRY_RETRACT;
        if (l && l->entry.kind == ENTRY_BLANK && retracts) return;
        if (!l || l->entry.kind != ENTRY_COMMENT) r->status = ENGINE_NOT_FOUND;
        if (r->status != ENGINE_OK) return;
        if (retracts) blank(s, l, a);
    }
    if (!(v = find_or_add(s, a->video, &r->status))) return;
    if (!memory_gate_amend(&v->gate, a->asked.kind, a->target) && a->asked.kind == ENTRY_END) return;
    for (size_t i = 0; a->user && i < v->count; i++) {
        if (!entry_is_by(&v->log[i].entry, a->user)) continue;
        blank(s, &v->log[i], a);
        memory_gate_amend(&v->gate, ENTRY_RETRACT, v->log[i].entry.at);
    }
    a->entry = a->asked;
    announce_loss(s, v, a->known, &a->loss);
    add(s, v, &a->entry);
    memory_gate_note(&v->gate, a->note);
}

static void run_head(struct store *s, struct request *r) {
    struct head_request *h = (struct head_request *)r;
    struct video *v = find_or_add(s, h->video, &r->status);
    if (!v) return;
    struct position before = v->at;
    announce_loss(s, v, h->known, &h->loss);
    if (position_is_set(h->loss.at)) h->answer.before = before;
    h->answer.at = v->at;
    h->answer.over = v->gate.room.over;
}

static void run_range(struct store *s, struct request *request) {
    struct range_request *r = (struct range_request *)request;
    struct video *v = find_stored(s, r->video);
    if (!v) return;
    prune(s, v);
    struct engine_entry *entries = request_hold(request, v->count * sizeof *entries);
    r->answer = (struct engine_range){.entries = entries, .head = v->at};
    for (size_t i = 0; i < v->count && !r->answer.more; i++) {
        if (position_compare(v->log[i].entry.at, r->from) <= 0) continue;
        r->answer.more = r->answer.count == r->limit;
        if (!r->answer.more) entries[r->answer.count++] = v->log[i].entry;
    }
}

static void run_range_before(struct store *s, struct request *request) {
    struct range_request *r = (struct range_request *)request;
    struct video *v = find_stored(s, r->video);
    if (!v) return;
    prune(s, v);
    size_t end = v->count;
    while (position_is_set(r->from) && end && position_compare(v->log[end - 1].entry.at, r->from) >= 0) end--;
    size_t count = r->limit < end ? r->limit : end;
    struct engine_entry *entries = request_hold(request, count * sizeof *entries);
    for (size_t i = 0; i < count; i++) entries[i] = v->log[end - count + i].entry;
    r->answer = (struct engine_range){.entries = entries, .count = count, .head = v->at, .more = count < end};
}

// There is no archive: what the log keeps.
static void run_replay(struct store *s, struct request *request) {
    struct replay_request *r = (struct replay_request *)request;
    struct video *v = find_stored(s, r->range.video);
    run_range(s, request);
    const struct engine_range *found = &r->range.answer;
    static int64_t offset_ms; // between the clocks: always the same, or times would go back
    if (!offset_ms) offset_ms = clock_wall_ms() - clock_monotonic_ms();
    r->range.at_ms = request_hold(request, (found->count + 1) * sizeof *r->range.at_ms);
    for (size_t i = 0, at = 0; i < found->count; i++) {
        while (position_compare(v->log[at].entry.at, found->entries[i].at) != 0) at++;
        r->range.at_ms[i] = v->log[at].at_ms + offset_ms;
    }
}

static void run_videos(struct store *s, struct request *request) {
    struct videos_request *r = (struct videos_request *)request;
    const char **names = request_hold(request, ENGINE_VIDEOS * sizeof *names);
    struct engine_videos *out = &r->answer;
    *out = (struct engine_videos){.names = names};
    // The next ones by name: the least that are greater.
    for (const char *least = r->cursor; out->count < ENGINE_VIDEOS; least = names[out->count - 1]) {
        const char *found = NULL;
        for (struct name_entry *e = name_table_next(&s->videos, NULL); e; e = name_table_next(&s->videos, e))
            if (strcmp(e->name, least) > 0 && (!found || strcmp(e->name, found) < 0)) found = e->name;
        if (!found) return;
        names[out->count++] = found;
    }
    out->next = names[ENGINE_VIDEOS - 1];
}

// Mappings

static bool is_mapped(const struct video *v, const char *reader) {
    return v && v->reader && !strcmp(v->reader, reader);
}

static void answer_mapping(struct store *s, struct request *r, struct video *v, bool changes) {
    struct mapping_request *m = (struct mapping_request *)r;
    if (changes) {
        free(v->reader);
        v->reader = mem_strdup(m->reader_url);
    }
    m->changed = changes;
    m->found = v ? v->reader : NULL;
    if (m->found)
        v->used = ++s->clock;
    else if (r->status == ENGINE_OK)
        r->status = ENGINE_NOT_FOUND;
}

static void run_lookup(struct store *s, struct request *r) {
    answer_mapping(s, r, find_stored(s, ((struct mapping_request *)r)->video), false);
}

static void run_assign(struct store *s, struct request *r) {
    struct video *v = find_or_add(s, ((struct mapping_request *)r)->video, &r->status);
    answer_mapping(s, r, v, v && !v->reader);
}

static void run_reassign(struct store *s, struct request *r) {
    const struct mapping_request *m = (const struct mapping_request *)r;
    struct video *v = find_stored(s, m->video);
    answer_mapping(s, r, v, is_mapped(v, m->expected) && !is_mapped(v, m->reader_url));
}

static void run_release(struct store *s, struct request *r) {
    const struct mapping_request *m = (const struct mapping_request *)r;
    struct video *v = find_stored(s, m->video);
    if (!is_mapped(v, m->expected)) return;
    free(v->reader);
    v->reader = NULL;
    if (!position_is_set(v->at) && !v->gate.exists) drop(s, v);
}

static void answer_set(const struct video *v, struct set_request *r) {
    r->found.generation = v ? v->set_generation : 0;
    r->found.text = v && v->set ? v->set : "";
}

static void run_set_read(struct store *s, struct request *request) {
    struct set_request *r = (struct set_request *)request;
    answer_set(find_stored(s, r->video), r);
}

static void run_set_write(struct store *s, struct request *request) {
    struct set_request *r = (struct set_request *)request;
    struct video *v = find_or_add(s, r->video, &request->status);
    if (v && v->set_generation == r->generation) {
        free(v->set);
        v->set = mem_strdup(r->text);
        v->set_generation++;
        r->found.written = true;
    }
    answer_set(v, r);
}

static void run_watch(struct store *s, struct request *r) {
    const struct watch_request *w = (const struct watch_request *)r;
    struct video *v = find_or_note(s, w->video);
    v->watched_until_ms = w->watched ? clock_monotonic_ms() + 3 * ENGINE_WATCH_AGAIN_MS : 0;
    v->used = ++s->clock;
    if (!w->watched && !v->stored) drop(s, v);
}

// Settings

static struct settings *find_settings(const struct store *s, const char *video) {
    struct name_entry *e = name_table_find(&s->settings, video);
    return e ? container_of(e, struct settings, entry) : NULL;
}

static void drop_settings(struct store *s, struct settings *of) {
    name_table_remove(&s->settings, &of->entry);
    free((char *)of->entry.name);
    free(of->text);
    free(of);
}

static void run_settings_read(struct store *s, struct request *request) {
    struct settings_request *r = (struct settings_request *)request;
    for (size_t i = 0; i < r->count; i++) {
        const struct settings *of = find_settings(s, r->videos[i]);
        r->found[i] = of ? of->text : NULL;
    }
}

static void run_settings_write(struct store *s, struct request *request) {
    const struct settings_request *r = (const struct settings_request *)request;
    struct settings *of = find_settings(s, r->videos[0]);
    if (!of && r->text && s->limits.max_videos && s->settings.count >= s->limits.max_videos) {
        request->status = ENGINE_FULL;
        return;
    }
    if (of) drop_settings(s, of);
    if (!r->text) return;
    of = mem_zalloc(sizeof *of);
    of->entry.name = mem_strdup(r->videos[0]);
    of->text = mem_strdup(r->text);
    name_table_add(&s->settings, &of->entry);
}

// Rooms

static void run_rooms_read(struct store *s, struct request *request) {
    struct rooms_request *r = (struct rooms_request *)request;
    r->found = request_hold(request, r->count * sizeof *r->found);
    for (size_t i = 0; i < r->count; i++) {
        const struct video *v = find_stored(s, r->videos[i]);
        r->found[i] = v ? v->gate.room : (struct engine_room){0};
    }
}

static void run_room_write(struct store *s, struct request *request) {
    struct rooms_request *r = (struct rooms_request *)request;
    struct video *v = find_or_add(s, r->videos[0], &request->status);
    if (!v) return;
    v->used = ++s->clock;
    if (memory_gate_write(&v->gate, &r->room)) memory_gate_note(&v->gate, r->note);
    r->found = request_hold(request, sizeof *r->found);
    *r->found = v->gate.room;
}

static void run_ban_write(struct store *s, struct request *request) {
    struct bans_request *b = (struct bans_request *)request;
    struct video *v = find_stored(s, b->video);
    if (!v && b->for_ms) v = find_or_add(s, b->video, &request->status);
    if (!v) return;
    v->used = ++s->clock;
    const struct engine_ban *ban =
        memory_gate_ban(&v->gate, b->user, b->for_ms, b->shadow, b->note, clock_wall_ms());
    b->bans = request_hold(request, sizeof *b->bans);
    if (ban) b->bans[b->count++] = *ban;
}

static void run_bans_read(struct store *s, struct request *request) {
    struct bans_request *b = (struct bans_request *)request;
    const struct video *v = find_stored(s, b->video);
    if (!v) return;
    size_t count = memory_gate_bans(&v->gate, clock_wall_ms(), NULL, 0);
    b->bans = request_hold(request, count * sizeof *b->bans);
    b->count = memory_gate_bans(&v->gate, clock_wall_ms(), b->bans, count);
}

static void run_held_read(struct store *s, struct request *request) {
    struct held_request *h = (struct held_request *)request;
    struct name_entry *e = NULL;
    h->list = request_hold(request, ROOM_HELD * sizeof *h->list);
    if (h->video) {
        const struct video *v = find_stored(s, h->video);
        if (v) h->count = memory_gate_held(&v->gate, INT64_MAX, h->list, ROOM_HELD);
        return;
    }
    while ((e = name_table_next(&s->videos, e)) && h->count < ENGINE_HELD_DUE)
        h->count += memory_gate_held(&container_of(e, struct video, entry)->gate, clock_wall_ms(),
                                     h->list + h->count, ENGINE_HELD_DUE - h->count);
}

static void run_held_drop(struct store *s, struct request *request) {
    struct held_request *h = (struct held_request *)request;
    struct video *v = find_stored(s, h->video);
    bool dropped = v && memory_gate_drop(&v->gate, h->id, &h->left);
    request->status = dropped ? ENGINE_OK : ENGINE_NOT_FOUND;
    if (dropped) memory_gate_note(&v->gate, h->note);
}

static void run_audit_read(struct store *s, struct request *request) {
    struct audit_request *a = (struct audit_request *)request;
    const struct video *v = find_stored(s, a->video);
    a->notes = request_hold(request, MEMORY_NOTES * sizeof *a->notes);
    if (v) a->count = memory_gate_notes(&v->gate, a->notes);
}

// Leases and counters

static void run_renew(struct store *s, struct request *request) {
    struct lease_request *r = (struct lease_request *)request;
    lease_renew(&s->leases, &r->asked, r->ttl_ms, clock_monotonic_ms(), &r->answer);
}

static void run_drop(struct store *s, struct request *request) {
    const struct lease_drop_request *r = (const struct lease_drop_request *)request;
    lease_drop(s->leases, r->reader_url, r->generation, clock_monotonic_ms());
}

static void run_leases(struct store *s, struct request *request) {
    struct leases_request *r = (struct leases_request *)request;
    const struct lease *l;
    DL_COUNT(s->leases, l, r->count);
    struct engine_lease *list = request_hold(request, r->count * sizeof *list);
    r->list = list;
    DL_FOREACH(s->leases, l) *list++ = lease_view(l, clock_monotonic_ms());
}

static void run_counter(struct store *s, struct request *r) {
    ((struct counter_request *)r)->value = s->counter++;
}

static void run_secret(struct store *s, struct request *request) {
    struct secret_request *r = (struct secret_request *)request;
    size_t i = 0;
    while (i < SECRETS - 1 && s->secret_names[i][0] && strcmp(s->secret_names[i], r->name) != 0) i++;
    if (!s->secret_names[i][0]) {
        memcpy(s->secrets[i], r->secret, ENGINE_SECRET);
        snprintf(s->secret_names[i], sizeof s->secret_names[i], "%s", r->name);
    }
    memcpy(r->secret, s->secrets[i], ENGINE_SECRET);
}

// The rest

static void run_overview(struct store *s, struct request *r) {
    struct engine_overview *o = &((struct overview_request *)r)->answer;
    struct engine_entry *newest = request_hold(r, ENGINE_NEWEST * sizeof *newest);
    struct engine_mapping *mapped = request_hold(r, ENGINE_MAPPED * sizeof *mapped);
    *o = (struct engine_overview){.comments = s->comments, .newest = newest, .mapped = mapped};
    for (struct name_entry *e = name_table_next(&s->videos, NULL); e; e = name_table_next(&s->videos, e)) {
        const char *reader = container_of(e, struct video, entry)->reader;
        if (reader && o->mappings++ < ENGINE_MAPPED)
            mapped[o->mapped_count++] = (struct engine_mapping){e->name, reader};
    }
    for (uint64_t n = s->comments; n && n + ENGINE_NEWEST > s->comments; n--) {
        const struct logged *l = &s->newest[n % ENGINE_NEWEST];
        if (limits_expired(&s->limits, clock_monotonic_ms(), l->at_ms)) break;
        if (l->entry.kind == ENTRY_COMMENT) newest[o->newest_count++] = l->entry;
    }
}

static const struct local_store memory_store = {.append = run_append,
                                                .amend = run_amend,
                                                .head = run_head,
                                                .range = run_range,
                                                .range_before = run_range_before,
                                                .replay = run_replay,
                                                .videos = run_videos,
                                                .lookup = run_lookup,
                                                .assign = run_assign,
                                                .reassign = run_reassign,
                                                .release = run_release,
                                                .set_read = run_set_read,
                                                .set_write = run_set_write,
                                                .settings_read = run_settings_read,
                                                .settings_write = run_settings_write,
                                                .rooms_read = run_rooms_read,
                                                .room_write = run_room_write,
                                                .ban_write = run_ban_write,
                                                .bans_read = run_bans_read,
                                                .held_read = run_held_read,
                                                .held_drop = run_held_drop,
                                                .audit_read = run_audit_read,
                                                .watch = run_watch,
                                                .lease_renew = run_renew,
                                                .lease_drop = run_drop,
                                                .leases = run_leases,
                                                .counter_next = run_counter,
                                                .secret = run_secret,
                                                .overview = run_overview};

static void set_limits(struct engine *engine, const struct engine_limits *limits) {
    ((struct memory *)engine)->store.limits = *limits;
}

static bool ready(struct engine *engine, const char **why) {
    (void)engine, (void)why;
    return true;
}

static struct engine_stats stats(struct engine *engine) {
    struct memory *m = (struct memory *)engine;
    m->stats.waiting = m->local.waiting;
    return m->stats;
}

// A callback may close the engine, which then carries out the rest itself.
static void hand_over(struct local_engine *local) {
    struct memory *m = (struct memory *)local;
    int64_t begin_us = clock_monotonic_us();
    struct request *r;
    for (size_t n = local->pending.count; n && (r = request_list_take(&local->pending)); n--) {
        struct request_list done = {0};
        r->carry_out(&m->store, r);
        request_list_add(&done, r);
        local_answer(local, &done);
    }
    engine_stats_add(&m->stats, clock_monotonic_us() - begin_us, false);
}

// Not before the turn ends: a callback that closes the engine may go on reading its answer.
static void on_reap(struct loop_job *job) {
    struct memory *m = container_of(job, struct memory, reap);
    struct store *s = &m->store;
    for (struct name_entry *e; (e = name_table_next(&s->videos, NULL));)
        drop(s, container_of(e, struct video, entry));
    for (struct name_entry *e; (e = name_table_next(&s->settings, NULL));)
        drop_settings(s, container_of(e, struct settings, entry));
    name_table_release(&s->videos);
    name_table_release(&s->settings);
    while (s->leases) lease_remove(&s->leases, s->leases);
    for (int i = 0; i < ENGINE_NEWEST; i++) free((char *)s->newest[i].entry.body);
    free(m);
}

static void close_engine(struct engine *engine) {
    struct memory *m = (struct memory *)engine;
    struct request_list none = {0};
    if (!local_close_begin(&m->local)) return;
    hand_over(&m->local);
    local_close_end(&m->local, &none);
    loop_defer(m->local.loop, &m->reap);
}

static const struct engine_ops memory_ops = {.name = "memory",
                                             LOCAL_OPERATIONS,
                                             .set_limits = set_limits,
                                             .ready = ready,
                                             .stats = stats,
                                             .close = close_engine};

struct engine *embedded_open(struct loop *loop, const struct embedded_config *config, char *why,
                             size_t why_size) {
    (void)why, (void)why_size;
    struct memory *m = mem_zalloc(sizeof *m);
    m->local =
        (struct local_engine){.engine.ops = &memory_ops, .hand_over = hand_over, .hand_over_at = SIZE_MAX};
    local_init(&m->local, &memory_store, loop);
    m->store.limits = config->limits;
    m->reap.run = on_reap;
    return &m->local.engine;
}
