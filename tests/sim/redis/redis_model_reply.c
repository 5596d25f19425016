#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redis_model_server.h"

// Without printf(), which is slow: it is called for each word.
static void model_put_number(struct buf *b, char type, int64_t number) {
    char text[24], *at = text + sizeof text;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
    *--at = '\n';
    *--at = '\r';
    do *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (number < 0) *--at = '-';
    *--at = type;
    buf_add(b, at, (size_t)(text + sizeof text - at));
}

void model_put_bytes(struct buf *b, struct model_bytes bytes) {
    model_put_number(b, '$', (int64_t)bytes.len);
    buf_add(b, bytes.at, bytes.len);
    buf_add(b, "\r\n", 2);
}

void model_put_array(struct buf *b, size_t count) {
    model_put_number(b, '*', (int64_t)count);
}

void model_reply_status(struct model_call *c, const char *status) {
    buf_printf(c->reply, "+%s\r\n", status);
}

void model_reply_error(struct model_call *c, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *at = text; *at; at++)
        if (*at == '\r' || *at == '\n') *at = ' ';
    buf_printf(c->reply, "-%s\r\n", text);
}

void model_reply_integer(struct model_call *c, int64_t n) {
    model_put_number(c->reply, ':', n);
}

void model_reply_bytes(struct model_call *c, struct model_bytes bytes) {
    model_put_bytes(c->reply, bytes);
}

void model_reply_string(struct model_call *c, const char *string) {
    model_put_bytes(c->reply, model_bytes_of_string(string));
}

void model_reply_double(struct model_call *c, double number) {
    char text[64];
    if (isinf(number))
        snprintf(text, sizeof text, "%s", number > 0 ? "inf" : "-inf");
    else
        snprintf(text, sizeof text, "%.17g", number);
    model_reply_string(c, text);
}

void model_reply_nil(struct model_call *c) {
    buf_add_string(c->reply, "$-1\r\n");
}

void model_reply_nil_array(struct model_call *c) {
    buf_add_string(c->reply, "*-1\r\n");
}

void model_reply_array(struct model_call *c, size_t count) {
    model_put_array(c->reply, count);
}

bool model_arg_integer(struct model_call *c, int i, int64_t *out) {
    if (model_bytes_integer(c->argv[i], out)) return true;
    model_reply_error(c, MODEL_NOT_INTEGER);
    return false;
}

bool model_arg_is(const struct model_call *c, int i, const char *word) {
    return i < c->argc && model_bytes_are(c->argv[i], word);
}
