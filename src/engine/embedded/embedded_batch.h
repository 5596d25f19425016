// Carries out requests, a batch of them as one transaction. Store's thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/request.h"
#include "embedded_store.h"

enum {
    BATCH_REQUESTS = 1024,         // at most
    BATCH_ANSWER_BYTES = 256 << 10 // about; comments wait for a batch of ranges that is being read
};

struct batch_result {
    bool wrote; // something was written and committed
    bool failed;
    struct store_failure failure;
};

// Takes requests off `waiting`, in order, and puts them on `done` with their answers, once they are
// committed. If one fails, all of the batch is rolled back; those of it that do not need to write are carried
// out again, and the others answer ENGINE_UNAVAILABLE. A store that is lost (store_is_lost()) is only read.
struct batch_result batch_run(struct store *, struct request_list *waiting, struct request_list *done);
