#include "base/terminal.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { USUAL_COLUMNS = 80, USUAL_ROWS = 24 };

bool terminal_is(int fd) {
    const char *term = getenv("TERM");
    return isatty(fd) && (!term || strcmp(term, "dumb") != 0);
}

struct terminal_size terminal_size(int fd) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size)) size = (struct winsize){0};
    return (struct terminal_size){size.ws_col ? size.ws_col : USUAL_COLUMNS,
                                  size.ws_row ? size.ws_row : USUAL_ROWS};
}

bool terminal_has_colours(int fd) {
    const char *refused = getenv("NO_COLOR");
    return terminal_is(fd) && (!refused || !*refused);
}

bool terminal_is_utf8(void) {
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"}; // the first that is set counts
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *locale = getenv(names[i]);
        if (locale && *locale) return strcasestr(locale, "utf-8") || strcasestr(locale, "utf8");
    }
    return false;
}

bool terminal_take_keys(struct terminal_keys *k, int fd) {
    k->fd = fd;
    if (tcgetattr(fd, &k->before)) return false;
    struct termios now = k->before;
    now.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    return !tcsetattr(fd, TCSANOW, &now);
}

void terminal_release_keys(const struct terminal_keys *k) {
    tcsetattr(k->fd, TCSANOW, &k->before);
}
