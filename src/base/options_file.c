#include "base/options_file.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static bool is_space(char c) {
    return c == ' ' || c == '\t';
}

static char *skip_space(char *at) {
    while (is_space(*at)) at++;
    return at;
}

// Returns what is wrong with the bytes of a line, or NULL.
static const char *wrong_bytes(const char *line, size_t len, unsigned number) {
    if (number == 1 && len >= 3 && !memcmp(line, "\xef\xbb\xbf", 3))
        return "The file begins with a byte order mark: save it as UTF-8 without one.";
    if (len > OPTIONS_LINE_MAX) return "The line is too long.";
    if (len && line[len - 1] == '\r')
        return "The line ends with CR LF, as on Windows: save the file with LF.";
    if (memchr(line, 0, len)) return "There is a NUL byte.";
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
            return "There is a control character.";
    return utf8_is_valid(line, len) ? NULL : "It is not valid UTF-8.";
}

// Ends the string in front of a comment and the spaces before it.
static void cut_comment(char *value) {
    char *end = value;
    for (char *at = value; *at && !(*at == '#' && (at == value || is_space(at[-1]))); at++)
        if (!is_space(*at)) end = at + 1;
    *end = 0;
}

// Takes away the quotes. Returns what is wrong, or NULL.
static const char *unquote(char **value) {
    char quote = **value, *at = *value + 1, *out = at;
    *value = out;
    for (; *at != quote; at++) {
        if (!*at) return "The quote is not closed.";
        if (quote == '"' && *at == '\\') {
            at++;
            if (*at != '"' && *at != '\\') return "After \\ in quotes only \\ and \" can stand.";
        }
        *out++ = *at;
    }
    at = skip_space(at + 1);
    if (*at && *at != '#') return "After the closing quote only a comment can stand.";
    *out = 0;
    return NULL;
}

// Returns what is wrong, or NULL.
static const char *split_line(char *at, struct options_line *line) {
    char *end = at + strcspn(at, "= \t#");
    char *equals = skip_space(end);
    line->name = at;
    line->value = NULL;
    if (end == at) return "The name in front of = is missing.";
    if (!*equals || *equals == '#') {
        *end = 0;
        return NULL;
    }
    if (*equals != '=') return "A line must be like `name = value`.";
    *end = 0;
    char *value = skip_space(equals + 1);
    line->value = value;
    const char *wrong = NULL;
    if (*value == '"' || *value == '\'')
        wrong = unquote(&value);
    else
        cut_comment(value);
    line->value = value;
    return wrong;
}

enum options_file_found options_file_next(struct options_file *f, struct options_line *line, char *why,
                                          size_t why_size) {
    while (f->at < f->len) {
        char *at = f->text + f->at, *end = memchr(at, '\n', f->len - f->at);
        size_t len = end ? (size_t)(end - at) : f->len - f->at;
        f->at += len + (end != NULL);
        line->number = ++f->number;
        const char *wrong = wrong_bytes(at, len, f->number);
        at[len] = 0;
        if (!wrong) {
            at = skip_space(at);
            if (!*at || *at == '#') continue;
            wrong = split_line(at, line);
        }
        if (wrong) snprintf(why, why_size, "%s", wrong);
        return wrong ? OPTIONS_FILE_WRONG : OPTIONS_FILE_LINE;
    }
    return OPTIONS_FILE_END;
}
