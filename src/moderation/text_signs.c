#include "text_signs.h"

#include <string.h>
#include <utf8proc.h>

static bool is_letter(int32_t c) {
    return (c >= 'a' && c <= 'z') || c >= 0x80;
}

static bool is_of_name(int32_t c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
}

static bool has_at(const struct folded *f, size_t at, const char *ascii) {
    for (size_t i = 0; ascii[i]; i++)
        if (at + i >= f->count || f->character[at + i] != (unsigned char)ascii[i]) return false;
    return true;
}

// The domains that links in chats mostly have, without those that end sentences ("do it.so am I").
static bool is_top_level(const struct folded *f, size_t at, size_t len) {
    static const char *const known[] = {
        "com",  "net",    "org",   "info", "biz", "io",  "gg",  "tv",  "me",   "ru",   "de",   "uk",
        "eu",   "fr",     "cn",    "jp",   "xyz", "top", "app", "dev", "site", "shop", "club", "live",
        "link", "online", "store", "ly",   "cc",  "co",  "gl",  "ai",  "pl",   "br",   "nl",   "vip"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i]) == len && has_at(f, at, known[i])) return true;
    return false;
}

// Whether the dot at `at` joins the parts of a host name.
static bool joins_host(const struct folded *f, size_t at) {
    if (!at || !is_of_name(f->character[at - 1])) return false;
    size_t end = at + 1;
    while (end < f->count && is_of_name(f->character[end])) end++;
    size_t len = end - at - 1;
    if (len < 2 || !is_letter(f->character[at + 1])) return false;
    bool has_path = end + 1 < f->count && f->character[end] == '/' && f->character[end + 1] > ' ';
    bool goes_on = end + 1 < f->count && f->character[end] == '.' && is_of_name(f->character[end + 1]);
    return !goes_on && (has_path || is_top_level(f, at + 1, len));
}

bool folded_has_link(const struct folded *f) {
    for (size_t i = 1; i < f->count; i++) {
        if (f->character[i] == ':' && is_letter(f->character[i - 1]) && has_at(f, i, "://")) return true;
        if (f->character[i] != '.') continue;
        bool has_www = i >= 3 && has_at(f, i - 3, "www.") && i + 1 < f->count &&
                       is_of_name(f->character[i + 1]) && (i == 3 || !is_of_name(f->character[i - 4]));
        if (has_www || joins_host(f, i)) return true;
    }
    return false;
}

bool text_shouts(const char *text, size_t len, unsigned percent, unsigned least) {
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text, *end = at + len;
    unsigned capitals = 0, letters = 0;
    while (at < end) {
        utf8proc_int32_t c;
        utf8proc_ssize_t step = utf8proc_iterate(at, end - at, &c);
        if (step <= 0) return false;
        at += step;
        utf8proc_category_t category = utf8proc_category(c);
        bool is_capital = category == UTF8PROC_CATEGORY_LU;
        capitals += is_capital;
        letters += is_capital || category == UTF8PROC_CATEGORY_LL;
    }
    return letters >= least && capitals * 100 > letters * percent;
}
