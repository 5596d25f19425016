#include "service/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/http_server.h"

static const bool id_bytes[256] = {
    ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true, ['.'] = true, ['_'] = true,
    ['~'] = true,         ['-'] = true,         [':'] = true,         ['@'] = true,
};

bool id_is_valid(const char *text, size_t len) {
    if (!len || len > ID_MAX) return false;
    for (size_t i = 0; i < len; i++)
        if (!id_bytes[(unsigned char)text[i]]) return false;
    return true;
}

json_t *body_object(struct http_request *r) {
    if (!http_request_is_json(r)) {
        http_reply_error(r, 415, "unsupported_media_type",
                         "Send the body as Content-Type: application/json.");
        return NULL;
    }
    size_t len;
    const char *body = http_request_body(r, &len);
    json_error_t error;
    // jansson refuses invalid UTF-8, lone surrogates, and more than 2,048 nested brackets; but jansson 2.14
    // takes a NUL behind a number or a literal for white space
    bool has_nul = memchr(body, 0, len) != NULL;
    json_t *object = has_nul ? NULL : json_loadb(body, len, 0, &error);
    if (has_nul) {
        http_reply_error(r, 400, "invalid_json", "The body holds a NUL byte.");
        return NULL;
    }
    if (!object) {
        char sentence[256];
        snprintf(sentence, sizeof sentence, "The body is not valid JSON in UTF-8 (line %d, column %d).",
                 error.line, error.column);
        http_reply_error(r, 400, "invalid_json", sentence);
        return NULL;
    }
    if (!json_is_object(object)) {
        json_decref(object);
        http_reply_error(r, 400, "invalid_json", "The body must be a JSON object.");
        return NULL;
    }
    return object;
}

static void refuse_field(struct http_request *r, const char *field, const char *what) {
    char sentence[256];
    snprintf(sentence, sizeof sentence, "%s %s", field, what);
    http_reply_error(r, 400, "invalid_field", sentence);
}

static bool check_id(struct http_request *r, const char *field, const char *text, size_t len) {
    if (text && id_is_valid(text, len)) return true;
    if (!text || !len) {
        char sentence[256];
        snprintf(sentence, sizeof sentence, "%s is required.", field);
        http_reply_error(r, 400, "missing_field", sentence);
    } else {
        refuse_field(r, field, "must be 1 to 128 characters of A-Z a-z 0-9 . _ ~ - : @");
    }
    return false;
}

bool body_id(struct http_request *r, const json_t *object, const char *field, const char **id) {
    const json_t *member = json_object_get(object, field);
    if (member && !json_is_string(member) && !json_is_null(member)) {
        refuse_field(r, field, "must be a string.");
        return false;
    }
    *id = json_string_value(member);
    return check_id(r, field, *id, json_string_length(member));
}

bool query_id(struct http_request *r, const char *field, const char **id) {
    *id = http_request_query(r, field);
    return check_id(r, field, *id, *id ? strlen(*id) : 0);
}

bool path_id(struct http_request *r, const char **id) {
    *id = http_request_param(r);
    return check_id(r, "videoid", *id, *id ? strlen(*id) : 0);
}

static bool has_control(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') return true;
    }
    return false;
}

bool body_text(struct http_request *r, const json_t *object, const char *field, size_t min, size_t max,
               json_t **text) {
    *text = json_object_get(object, field);
    if (json_is_null(*text)) *text = NULL;
    if (!*text && !min) return true;
    const char *value = json_string_value(*text);
    size_t len = json_string_length(*text);
    char what[96];
    if (!*text) {
        snprintf(what, sizeof what, "%s is required.", field);
        http_reply_error(r, 400, "missing_field", what);
    } else if (!value) {
        refuse_field(r, field, "must be a string.");
    } else if (!len || len > max) {
        snprintf(what, sizeof what, "must be 1 to %zu bytes of UTF-8.", max);
        refuse_field(r, field, what);
    } else if (has_control(value, len)) {
        refuse_field(r, field, "must not hold control characters other than tab, CR and LF.");
    } else {
        return true;
    }
    return false;
}

void reply_json(struct http_request *r, int status, json_t *owned) {
    char *text = json_dumps(owned, JSON_COMPACT);
    json_decref(owned);
    if (!text) {
        http_reply_error(r, 503, "out_of_memory", "The answer could not be written.");
        return;
    }
    http_reply(r, &(struct http_reply){.status = status,
                                       .body = text,
                                       .body_len = strlen(text),
                                       .retry_after_s = status == 503 ? 1 : 0});
    free(text);
}

void reply_unavailable(struct http_request *r, const char *code, const char *sentence) {
    char body[512];
    int len = snprintf(body, sizeof body, "{\"error\":\"%s\",\"code\":\"%s\"}", sentence, code);
    http_reply(
        r, &(struct http_reply){.status = 503, .body = body, .body_len = (size_t)len, .retry_after_s = 1});
}
