// Many viewers with sockets of any size, that read, join and leave as chance has it, while anything is
// published, flushes go in slices of any size, and memory is there or not: what each has read must be the
// exact sequence from where it joined, less announced gaps.
#include "unit.h"

#include "channel_rig.h"
#include "dice.h"
#include "base/budget.h"

enum {
    ROUNDS = 12,
    STEPS = 2500,
    WATCHERS = 24,
    ITEMS_MAX = 3 * STEPS + 100,
    RING_FRAMES = 12,
    RING_BYTES = 12000,
    PADDING_MAX = 1500,
    KINDS = 3 // of moments
};

// What was published, in order.
struct item {
    struct frame *frame; // a reference
    bool numbered;       // a comment or a gap; not a message of another system
    char text[64];       // as event_reader_text() has it
};

struct watcher {
    struct client client;
    bool open;
    size_t checked;   // events of the client
    size_t next;      // the item that should come
    size_t joined;    // items that there were then
    size_t uncounted; // events without a number among its first ones, and moments: not the channel's frames
    uint8_t asks;
    unsigned latest[KINDS]; // moments, which are numbered
};

static struct rig rig;
static struct item items[ITEMS_MAX];
static size_t item_count;
static uint64_t due; // pairs
static unsigned moments;
static struct watcher watchers[WATCHERS];
static struct {
    unsigned long gaps, lags, waits, leaves, stalls, foreign_missing, moments, slices, scarce, relieved;
} met;

static void publish(struct frame *f, bool numbered, const char *text) {
    assert_true(item_count < ITEMS_MAX);
    struct item *i = &items[item_count++];
    i->frame = frame_ref(f);
    i->numbered = numbered;
    snprintf(i->text, sizeof i->text, "%s", text);
    rig_publish_frame(&rig, f);
    due += rig.channel.viewers.count * (i->frame->is_gap ? frame_missed(i->frame) : 1);
}

static void publish_comment(size_t padding) {
    char text[32];
    snprintf(text, sizeof text, "1-%u", (unsigned)++rig.newest);
    publish(padded_frame(1, rig.newest, padding), true, text);
}

static void publish_gap(void) {
    char text[64];
    uint64_t from = rig.newest + 1, to = rig.newest + 1 + dice(5);
    snprintf(text, sizeof text, "gap(1-%u..1-%u %u expired)", (unsigned)from, (unsigned)to,
             (unsigned)(to - from + 1));
    rig.newest = to;
    publish(frame_of_gap(pos(1, from), pos(1, to), GAP_EXPIRED), true, text);
}

static void publish_something(void) {
    char text[32];
    switch (dice(20)) {
    case 0: publish_gap(); break;
    case 1:
        snprintf(text, sizeof text, "foreign-%u", (unsigned)item_count);
        publish(foreign_frame(text), false, text);
        break;
    default: publish_comment(dice(dice_one_in(3) ? PADDING_MAX : 50)); break;
    }
}

static void publish_moment(void) {
    char text[32];
    unsigned kind = (unsigned)dice(KINDS);
    int len = snprintf(text, sizeof text, "%u-%u", kind, ++moments);
    channel_publish_moment(&rig.channel, (uint8_t)(1u << kind),
                           frame_of_event((struct position){0}, "now", text, (size_t)len));
}

// Joins, with some of the newest items as what it missed.
static void join(struct watcher *w) {
    static const int buffers[] = {2048, 4096, 16384, 0};
    struct frame *first[8] = {hello_frame()};
    uint32_t missed = (uint32_t)dice(8);
    if (missed > item_count) missed = 0;
    *w = (struct watcher){.open = true, .next = item_count - missed, .joined = item_count};
    rig.asks = w->asks = (uint8_t)dice(1 << KINDS);
    for (uint32_t i = 0; i < missed; i++) {
        const struct item *it = &items[w->next + i];
        first[1 + i] = frame_ref(it->frame);
        if (it->numbered) due += it->frame->is_gap ? frame_missed(it->frame) : 1;
    }
    if (rig.channel.sent < rig.channel.ring.next) met.waits++;
    client_join_with(&rig, &w->client,
                     socket_pair_open(dice_one_in(4) ? LOOPBACK : SOCKETPAIR, buffers[dice(4)]),
                     pending_with(first, 1 + missed));
}

// Checking

static size_t skip_foreign(size_t i) {
    while (i < item_count && !items[i].numbered) i++;
    return i;
}

static void take_slow_gap(struct watcher *w, const char *text) {
    unsigned from, to, missed;
    if (sscanf(text, "gap(1-%u..1-%u %u slow)", &from, &to, &missed) != 3) fail_msg("not a gap: %s", text);
    size_t i = skip_foreign(w->next);
    assert_true(i < item_count);
    assert_int_equal(items[i].frame->first.seq, from);
    while (i < item_count && items[i].frame->at.seq != to) i++;
    assert_true(i < item_count); // it ends where one of them does
    assert_int_equal(missed, to - from + 1);
    w->next = i + 1;
    met.gaps++;
}

static void take_item(struct watcher *w, const char *text) {
    for (; w->next < item_count && strcmp(items[w->next].text, text) != 0; w->next++) {
        if (items[w->next].numbered) fail_msg("%s instead of %s", text, items[w->next].text);
        met.foreign_missing++; // without a number, it is missing without a sign
    }
    if (w->next >= item_count) fail_msg("%s was never published", text);
    if (w->next < w->joined && !items[w->next].numbered) w->uncounted++;
    w->next++;
}

static void take_moment(struct watcher *w, const char *text) {
    unsigned kind, number;
    if (sscanf(text, "now=%u-%u", &kind, &number) != 2 || kind >= KINDS) fail_msg("no moment: %s", text);
    assert_true(w->asks & 1u << kind);
    if (number <= w->latest[kind]) fail_msg("%s after %u", text, w->latest[kind]);
    w->latest[kind] = number;
    w->uncounted++;
    met.moments++;
}

// event_reader_text() of one event.
static const char *text_of(struct event_reader *r, size_t i) {
    struct event_reader one = *r;
    one.events += i;
    one.count = 1;
    one.line.len = 0;
    one.has_data = false;
    one.type.len = 0;
    const char *text = event_reader_text(&one);
    r->text = one.text;
    return text;
}

static void check(struct watcher *w) {
    struct event_reader *seen = &w->client.seen;
    for (; w->checked < seen->count; w->checked++) {
        const char *text = text_of(seen, w->checked);
        if (!w->checked)
            assert_string_equal(text, "hello");
        else if (strstr(text, " slow)"))
            take_slow_gap(w, text);
        else if (!strncmp(text, "now=", 4))
            take_moment(w, text);
        else
            take_item(w, text);
    }
}

static void leave(struct watcher *w) {
    check(w);
    client_close(&w->client);
    w->open = false;
}

static void read_some(struct watcher *w) {
    client_read(&w->client, dice(dice_one_in(3) ? 20000 : 300));
    check(w);
    if (!w->client.ended) return;
    met.stalls++; // nothing else ends it
    leave(w);
}

// Returns what is still to be sent to a viewer, found by looking at it.
static uint64_t owed(const struct viewer *v) {
    const struct channel *ch = v->channel;
    uint64_t pending = v->pending ? pending_count(v->pending).entries : 0, from = ch->sent;
    if (v->slot < ch->viewers.due) from = ch->flush->from;
    if (v->slot >= ch->viewers.ready) from = v->cursor;
    return pending + ch->ring.next - from;
}

static void check_ledger(void) {
    uint64_t parts[LEDGER_PARTS], sum = 0;
    for (uint32_t i = 0; i < rig.channel.viewers.count; i++) sum += owed(rig.channel.viewers.at[i]);
    rig_ledger(&rig, parts);
    assert_int_equal(parts[LEDGER_DUE], due);
    assert_int_equal(ledger_waiting(parts), sum);
}

static void check_bounds(void) {
    const struct ring *r = &rig.channel.ring;
    assert_true(r->next - r->first <= RING_FRAMES);
    assert_true(r->bytes <= RING_BYTES);
    assert_true(rig.channel.viewers.due <= rig.channel.viewers.ready);
    assert_true(rig.channel.viewers.ready <= rig.channel.viewers.count);
    assert_true(!rig.channel.viewers.due || rig.channel.flush);
    for (uint32_t i = 0; i < rig.channel.viewers.count; i++)
        assert_int_equal(rig.channel.viewers.at[i]->slot, i);
    assert_true(rig.channel.viewers.ready <= rig.channel.viewers.behind);
    assert_true(rig.channel.viewers.behind <= rig.channel.viewers.count);
    for (uint32_t i = 0; i < rig.channel.viewers.count; i++) {
        const struct viewer *v = rig.channel.viewers.at[i];
        assert_int_equal(v->gap, i >= rig.channel.viewers.behind);
        assert_int_equal(v->list == LIST_NONE, i < rig.channel.viewers.ready);
        if (!v->gap && i >= rig.channel.viewers.ready) assert_true(v->cursor >= rig.channel.oldest);
    }
    for (const struct viewer *v = rig.env.blocked; v && v->next; v = v->next)
        assert_true(v->moved_ms <= v->next->moved_ms);
    if (rig.channel.viewers.ready < rig.channel.viewers.count) met.lags++;
}

static void flush_some(void) {
    if (budget_is_used_up()) met.scarce++;
    if (dice_one_in(3))
        rig_flush(&rig);
    else if (channel_flush_some(&rig.channel, loop_now_ms(rig.loop), (uint32_t)dice(6)) == FLUSH_UNFINISHED)
        met.slices++;
}

static void do_something(void) {
    struct watcher *w = &watchers[dice(WATCHERS)];
    switch (dice(12)) {
    case 0:
    case 1:
    case 2:
        if (dice_one_in(3)) publish_moment();
        for (uint64_t n = dice(4); n; n--) publish_something();
        break;
    case 3:
    case 4: flush_some(); break;
    case 5:
        rig_turns(&rig, 1);
        if (dice_one_in(4)) rig_sweep_later(&rig, (int64_t)dice(8000));
        if (dice_one_in(4))
            met.relieved += channels_relieve(&rig.env, loop_now_ms(rig.loop), (unsigned)dice(4));
        if (dice_one_in(8)) budget_set(dice_one_in(4) ? 0 : SIZE_MAX);
        break;
    case 6:
        if (w->open && dice_one_in(3)) {
            met.leaves++;
            leave(w);
        }
        break;
    default:
        if (w->open)
            read_some(w);
        else
            join(w);
        break;
    }
}

// Reads everything until all have what was published last.
static void finish(void) {
    for (int tries = 0, behind = 1; behind; tries++) {
        assert_true(tries < DRAIN_TRIES);
        if (tries == 10) publish_comment(0);
        rig_flush(&rig);
        rig_turns(&rig, 1);
        behind = tries < 10;
        struct pollfd wait[WATCHERS];
        for (int i = 0; i < WATCHERS; i++) {
            struct watcher *w = &watchers[i];
            wait[i] = (struct pollfd){.fd = -1, .events = POLLIN};
            if (!w->open) continue;
            client_read(&w->client, SIZE_MAX);
            check(w);
            if (w->client.ended) {
                leave(w);
            } else if (w->next < item_count) {
                behind = 1;
                wait[i].fd = w->client.fd;
            }
        }
        if (behind && tries > 10) poll(wait, WATCHERS, 1);
    }
}

static void run_round(void) {
    rig_init(&rig, RING_FRAMES, RING_BYTES);
    due = 0;
    for (int i = 0; i < STEPS; i++) {
        do_something();
        check_bounds();
        check_ledger();
    }
    budget_set(SIZE_MAX);
    finish();
    unsigned open = 0;
    for (int i = 0; i < WATCHERS; i++) {
        if (!watchers[i].open) continue;
        open++;
        assert_true(event_reader_is_whole(&watchers[i].client.seen));
        assert_int_equal(viewer_events(watchers[i].client.viewer),
                         watchers[i].client.seen.count - 1 - watchers[i].uncounted);
        leave(&watchers[i]);
    }
    assert_true(open > 0);
    assert_int_equal(rig.channel.viewers.count, open);
    assert_int_equal(rig.channel.viewers.ready, open);
    rig_flush(&rig);
    assert_int_equal(rig.channel.ring.bytes, 0);
    rig_release(&rig);
    check_ledger();
    while (item_count) frame_unref(items[--item_count].frame);
}

static void every_viewer_reads_the_exact_sequence_less_announced_gaps(void **state) {
    (void)state;
    dice_begin(__func__);
    for (int i = 0; i < ROUNDS; i++) run_round();
    printf(
        "gaps %lu, steps with a viewer behind %lu, joined while frames waited %lu, left %lu, closed as stalled "
        "%lu, messages without number missing %lu, moments %lu, flushes left unfinished %lu, begun without memory %lu, "
        "backlogs given up %lu\n",
        met.gaps, met.lags, met.waits, met.leaves, met.stalls, met.foreign_missing, met.moments, met.slices,
        met.scarce, met.relieved);
    // It was worth the name.
    assert_true(met.gaps > 20 && met.lags > 1000 && met.waits > 100 && met.leaves > 100);
    assert_true(met.slices > 200 && met.scarce > 100 && met.relieved > 50);
    assert_true(met.moments > 1000);
    assert_true(met.foreign_missing == 0 || met.gaps > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_viewer_reads_the_exact_sequence_less_announced_gaps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
