// Whatever Redis replies has one type at most, and what is in it may be read.
#include <hiredis/hiredis.h>

#include "engine/redis/redis_entry.h"
#include "engine/redis/redis_reply.h"
#include "fuzz.h"

static void look_into(const redisReply *reply) {
    size_t len = 0, count;
    int64_t number;
    struct engine_entry entry;
    const char *text = redis_reply_text(reply, &len), *error = redis_reply_error(reply);
    bool is_array = redis_reply_array(reply, &count);
    assert((text != NULL) + (error != NULL) + is_array + redis_reply_integer(reply, &number) +
               redis_reply_is_nil(reply) <=
           1);
    assert(*redis_reply_type(reply) && !redis_reply_item(reply, count));
    if (redis_entry_of_log(&entry, reply)) free(fuzz_bytes((const uint8_t *)entry.body, entry.body_len));
    for (size_t i = 0; i < count; i++) look_into(redis_reply_item(reply, i));
}

// An array that announces millions of items is given room for them by hiredis: our Redis is trusted that far.
static bool is_huge(const uint8_t *data, size_t size) {
    char *text = fuzz_text(data, size), *digit;
    for (digit = text; (digit = memchr(digit, '*', (size_t)(text + size - digit))); digit++)
        if (strspn(digit + 1, "0123456789") > 5) break;
    free(text);
    return digit;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (is_huge(data, size)) return 0;
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;
    redisReaderFeed(reader, (const char *)data, size);
    while (redisReaderGetReply(reader, &reply) == REDIS_OK && reply) {
        look_into(reply);
        freeReplyObject(reply);
    }
    redisReaderFree(reader);
    return 0;
}
