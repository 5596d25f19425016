#include "embedded_batch.h"

#include "base/clock.h"
#include "embedded_archive.h"
#include "embedded_transaction.h"
#include "embedded_video.h"

// Moves requests from `waiting` to `batch` as it carries them out, until one fails.
static void batch_carry_out(struct store *s, struct request_list *waiting, struct request_list *batch) {
    size_t answer_bytes = 0;
    while (waiting->first && batch->count < BATCH_REQUESTS && answer_bytes < BATCH_ANSWER_BYTES) {
        struct request *r = request_list_take(waiting);
        request_list_add(batch, r);
        r->carry_out(s, r);
        if (s->failure.code) return;
        answer_bytes += r->held_bytes;
    }
}

// Carries a request out if that needs no write. store_will_write() fails one that turns out to need one,
// and may have left wrong state in memory.
static void batch_answer_without_writing(struct store *s, struct request *r) {
    s->read_only = true;
    s->failure.code = 0;
    r->carry_out(s, r);
    if (s->failure.code) {
        request_reset(r);
        r->status = ENGINE_UNAVAILABLE;
        transaction_forget_changes(s);
    }
    s->failure.code = 0;
    s->read_only = false;
}

// As many as a batch has, from a store that is not written any more.
static void batch_run_read_only(struct store *s, struct request_list *waiting, struct request_list *done) {
    size_t answer_bytes = 0;
    store_read_clocks(s);
    for (int i = 0; i < BATCH_REQUESTS && waiting->first && answer_bytes < BATCH_ANSWER_BYTES; i++) {
        struct request *r = request_list_take(waiting);
        batch_answer_without_writing(s, r);
        answer_bytes += r->held_bytes;
        request_list_add(done, r);
    }
}

struct batch_result batch_run(struct store *s, struct request_list *waiting, struct request_list *done) {
    struct batch_result result = {0};
    struct request_list batch = {0};
    video_limit_memory(s);
    if (store_is_lost(s)) {
        batch_run_read_only(s, waiting, done);
        return result;
    }
    transaction_begin(s);
    batch_carry_out(s, waiting, &batch);
    result.wrote = sqlite3_txn_state(s->db, "main") == SQLITE_TXN_WRITE;
    archive_copy(s);
    if (!transaction_commit(s)) {
        result = (struct batch_result){.failed = true, .failure = s->failure};
        transaction_rollback(s);
        // Requests that need no write are still answered, from the state before the batch.
        for (struct request *r = batch.first; r; r = r->next) {
            request_reset(r);
            batch_answer_without_writing(s, r);
        }
    }
    request_list_move(done, &batch);
    return result;
}
