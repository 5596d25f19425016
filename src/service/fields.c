#include "service/fields.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_reader.h"
#include "http/exchange.h"

bool body_guard(struct http_request *r, void *arg, struct http_refusal *refusal) {
    (void)arg;
    return http_request_is_json(r) || http_refuse(refusal, 415, "unsupported_media_type",
                                                  "Send the body as Content-Type: application/json.");
}

void body_begin(const struct http_request *r, struct json_reader *reader) {
    size_t len;
    const char *body = http_request_body(r, &len);
    json_reader_init(reader, body, len);
}

void body_refuse(struct http_exchange *x, const struct json_reader *reader) {
    char sentence[256];
    size_t line, column;
    json_reader_location(reader, &line, &column);
    if (reader->last == JSON_TOKEN_ERROR)
        snprintf(sentence, sizeof sentence, "The body is not valid JSON in UTF-8 (line %zu, column %zu).",
                 line, column);
    else
        snprintf(sentence, sizeof sentence, "The body must be a JSON object.");
    http_reply_error(x, 400, "invalid_json", sentence);
}

// Reads the member whose key is the last token.
static bool body_take_member(struct json_reader *reader, struct body_field *fields, size_t count) {
    struct body_field *f = NULL;
    for (size_t i = 0; i < count && !f; i++)
        if (json_reader_equals(reader, fields[i].name)) f = &fields[i];
    enum json_token token = json_reader_next(reader);
    if (f && token == JSON_TOKEN_STRING) {
        ptrdiff_t len = json_reader_copy(reader, f->text, f->size);
        f->len = len < 0 ? 0 : (size_t)len;
        f->state = len >= 0 ? BODY_TEXT : len == -EMSGSIZE ? BODY_TOO_LONG : BODY_NOT_UNICODE;
    } else if (f && token == JSON_TOKEN_NUMBER) {
        f->state = json_reader_integer(reader, INT64_C(1) << 53, &f->number) ? BODY_NUMBER : BODY_NOT_TEXT;
    } else if (f) {
        f->state = token == JSON_TOKEN_NULL ? BODY_ABSENT : BODY_NOT_TEXT;
    }
    return json_reader_skip(reader);
}

// Returns whether the text is one object.
static bool body_read_members(struct json_reader *reader, struct body_field *fields, size_t count) {
    if (json_reader_next(reader) != JSON_TOKEN_OBJECT) {
        while (json_reader_skip(reader) && json_reader_next(reader) > JSON_TOKEN_END) continue;
        return false;
    }
    while (json_reader_next(reader) == JSON_TOKEN_KEY)
        if (!body_take_member(reader, fields, count)) return false;
    return reader->last == JSON_TOKEN_OBJECT_END && json_reader_next(reader) == JSON_TOKEN_END;
}

bool body_read(struct http_exchange *x, struct body_field *fields, size_t count) {
    struct json_reader reader;
    body_begin(x->request, &reader);
    if (body_read_members(&reader, fields, count)) return true;
    body_refuse(x, &reader);
    return false;
}

void refuse_field(struct http_exchange *x, const char *field, const char *what) {
    char sentence[256];
    snprintf(sentence, sizeof sentence, "%s %s", field, what);
    http_reply_error(x, 400, "invalid_field", sentence);
}

static bool check_field_id(struct http_exchange *x, const char *field, const char *text, size_t len) {
    if (len && id_is_valid(text, len)) return true;
    if (!len) {
        char sentence[256];
        snprintf(sentence, sizeof sentence, "%s is required.", field);
        http_reply_error(x, 400, "missing_field", sentence);
    } else {
        refuse_field(x, field,
                     "must be 1 to 128 characters of A-Z a-z 0-9 . _ ~ - : @, and not . or .. alone.");
    }
    return false;
}

static bool field_is_no_text(const struct body_field *f) {
    return f->state == BODY_NUMBER || f->state == BODY_NOT_TEXT;
}

bool body_id(struct http_exchange *x, const struct body_field *f) {
    if (field_is_no_text(f)) {
        refuse_field(x, f->name, "must be a string.");
        return false;
    }
    bool broken = f->state == BODY_TOO_LONG || f->state == BODY_NOT_UNICODE;
    return check_field_id(x, f->name, broken ? "?" : f->text, broken ? 1 : f->len);
}

bool query_id(struct http_exchange *x, const char *field, const char **id) {
    *id = http_request_query(x->request, field);
    return check_field_id(x, field, *id, *id ? strlen(*id) : 0);
}

bool path_id(struct http_exchange *x, const char **id) {
    *id = http_request_param(x->request, 0);
    return check_field_id(x, "videoid", *id, *id ? strlen(*id) : 0);
}

bool path_user(struct http_exchange *x, const char **id) {
    *id = http_request_param(x->request, 0);
    return check_field_id(x, "userid", *id, *id ? strlen(*id) : 0);
}

bool query_number(struct http_exchange *x, const char *field, uint32_t min, uint32_t max, uint32_t *number) {
    char what[96], *end;
    const char *text = http_request_query(x->request, field);
    if (!text) return true;
    unsigned long given = strtoul(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && !*end && given >= min && given <= max) {
        *number = (uint32_t)given;
        return true;
    }
    snprintf(what, sizeof what, "must be a number from %u to %u.", min, max);
    refuse_field(x, field, what);
    return false;
}

bool text_has_control(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') return true;
    }
    return false;
}

bool body_text(struct http_exchange *x, const struct body_field *f, size_t min, size_t max) {
    char what[96];
    if (f->state == BODY_ABSENT && !min) return true;
    if (f->state == BODY_ABSENT) {
        snprintf(what, sizeof what, "%s is required.", f->name);
        http_reply_error(x, 400, "missing_field", what);
    } else if (field_is_no_text(f)) {
        refuse_field(x, f->name, "must be a string.");
    } else if (f->state != BODY_TEXT || !f->len || f->len > max) {
        snprintf(what, sizeof what, "must be 1 to %zu bytes of UTF-8.", max);
        refuse_field(x, f->name, what);
    } else if (text_has_control(f->text, f->len)) {
        refuse_field(x, f->name, "must not hold control characters other than tab, CR and LF.");
    } else {
        return true;
    }
    return false;
}

static enum text_rule refuse_rule(struct http_exchange *x, enum text_rule broken,
                                  const struct text_rules *rules) {
    char sentence[160];
    if (!broken) return TEXT_FINE;
    text_rule_sentence(broken, rules, sentence, sizeof sentence);
    http_reply_error(x, 400, text_rule_code(broken), sentence);
    return broken;
}

enum text_rule body_name_rule(struct http_exchange *x, const struct body_field *f,
                              const struct text_rules *rules) {
    if (f->state != BODY_TEXT) return TEXT_FINE;
    return refuse_rule(x, text_rules_check_name(rules, f->text, f->len), rules);
}

enum text_rule body_comment_rule(struct http_exchange *x, const struct body_field *f,
                                 const struct text_rules *rules) {
    if (f->state != BODY_TEXT) return TEXT_FINE;
    return refuse_rule(x, text_rules_check_comment(rules, f->text, f->len), rules);
}
