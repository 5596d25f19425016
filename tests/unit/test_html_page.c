#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/html_page.h"

static char *written;
static size_t written_len;

static void test_text_is_not_markup(void **state) {
    (void)state;
    FILE *out = open_memstream(&written, &written_len);
    html_page_add_text(out, "<b class=\"x\">a & b</b> \xc3\xa9");
    fclose(out);
    assert_string_equal(written, "&lt;b class=\"x\"&gt;a &amp; b&lt;/b&gt; \xc3\xa9");
    free(written);
}

static void test_a_page_loads_nothing(void **state) {
    (void)state;
    FILE *out = open_memstream(&written, &written_len);
    html_page_begin(out, "a title", ".own{}");
    html_page_end(out);
    fclose(out);
    assert_memory_equal(written, "<!doctype html>\n", 16);
    assert_non_null(strstr(written, "<title>a title</title>"));
    assert_non_null(strstr(written, "--series-1:")); // the colours of web/theme.css
    assert_non_null(strstr(written, ".own{}</style>"));
    assert_null(strstr(written, "src="));
    assert_null(strstr(written, "url("));
    assert_null(strstr(written, "@import"));
    assert_string_equal(written + written_len - 16, "</body>\n</html>\n");
    free(written);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text_is_not_markup),
                                       cmocka_unit_test(test_a_page_loads_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
