// The messages by which readers count viewers: what is read of one is written and read again as the same.
// Then a tally that takes it, as its owner or not, gives back all that it has taken.
#include "base/budget.h"
#include "base/buf.h"
#include "fuzz.h"
#include "reader/tally.h"
#include "reader/tally_text.h"

static void on_publish(void *arg, const char *video, uint64_t viewers) {
    (void)arg, (void)video, (void)viewers;
}

static void on_send(void *arg, const char *reader_url, const char *text, size_t len) {
    (void)arg;
    assert(strlen(reader_url) <= ENGINE_URL_MAX && text && len <= ENGINE_MESSAGE_MAX);
}

static void on_find_owner(void *arg, const char *video) {
    (void)arg, (void)video;
}

static bool on_lease_ended(void *arg, const char *reader_url, uint64_t generation) {
    (void)arg, (void)reader_url, (void)generation;
    return false;
}

static const struct tally_ops ops = {on_publish, on_send, on_find_owner, on_lease_ended};

static void check_lines(struct tally_reading *r, const struct tally_sender *sender) {
    struct tally_reading reading;
    struct tally_sender sender_again;
    struct tally_line line, again;
    while (tally_text_next(r, &line)) {
        struct buf b = {0};
        tally_text_add_sender(&b, sender);
        size_t head = b.len;
        tally_text_add_line(&b, line.kind, line.video, line.viewers);
        assert(b.len - head <= TALLY_LINE_MAX);
        assert(tally_text_begin(&reading, b.data, b.len, &sender_again));
        assert(sender_again.generation == sender->generation);
        assert(!strcmp(sender_again.reader_url, sender->reader_url));
        assert(tally_text_next(&reading, &again));
        assert(again.kind == line.kind && again.viewers == line.viewers && !strcmp(again.video, line.video));
        assert(!tally_text_next(&reading, &again));
        buf_release(&b);
    }
}

static void check_tally(const char *text, size_t size) {
    struct tally *t = tally_new("http://127.0.0.1:4000", &ops, NULL);
    tally_join(t, "v", 1, true, false, 0);
    tally_join(t, "w", 1, true, true, 0);
    tally_place(t, "w", "http://127.0.0.1:4001", 0);
    tally_take(t, text, size, 1);
    tally_sweep(t, 1, TALLY_EVERY_MS);
    tally_take(t, text, size / 2, TALLY_EVERY_MS);
    tally_sweep(t, 1, 2 * TALLY_EVERY_MS);
    tally_count(t, "v", 0, 2 * TALLY_EVERY_MS);
    tally_sweep(t, 1, TALLY_SILENT_MS + 2 * TALLY_EVERY_MS);
    tally_free(t);
    assert(!budget_used());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = fuzz_bytes(data, size);
    struct tally_reading r;
    struct tally_sender sender;
    if (tally_text_begin(&r, text, size, &sender)) check_lines(&r, &sender);
    check_tally(text, size);
    free(text);
    return 0;
}
