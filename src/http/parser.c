#include "http/parser.h"

#include "base/alloc.h"
#include "http/field.h"

#include <stdlib.h>
#include <string.h>

/* llhttp's enums use names of ours. */
#define HTTP_REQUEST LLHTTP_REQUEST
#define HTTP_RESPONSE LLHTTP_RESPONSE
#include <llhttp.h>
#undef HTTP_REQUEST
#undef HTTP_RESPONSE

struct http_parser {
    llhttp_settings_t settings;
    llhttp_t at_fields;     /* as llhttp stands behind a start line; copied for each head */
    struct http_head *head; /* being read */
    struct hr_span name;
    struct hr_span value;
    bool was_strict;
    size_t field_limit;
    struct http_field *fields;
    char *unfolded; /* a head whose folded lines are joined */
    size_t unfolded_size;
};

static void take_length(struct http_head *h, struct hr_span value)
{
    struct hr_span member;
    bool has_number = false;
    while (http_list_next(&value, &member)) {
        uint64_t length = 0;
        if (!hr_span_to_u64(member, &length)) {
            h->anomalies |= HTTP_ANOMALY_BAD_LENGTH;
            continue;
        }
        has_number = true;
        if (h->facts.has_length) {
            h->anomalies |= HTTP_ANOMALY_TWO_LENGTHS;
            h->anomalies |= h->facts.length != length ? HTTP_ANOMALY_LENGTHS_DIFFER : 0u;
        } else {
            h->facts.has_length = true;
            h->facts.length = length;
        }
    }
    h->anomalies |= has_number ? 0u : HTTP_ANOMALY_BAD_LENGTH;
}

/* RFC 9112 7; names that everybody reads alike. */
static bool is_known_coding(struct hr_span coding)
{
    static const char *const names[] = {"chunked",  "gzip",       "x-gzip",  "deflate",
                                        "compress", "x-compress", "identity"};
    for (size_t i = 0; i < HR_ARRAY_LEN(names); i++) {
        if (hr_span_equal_nocase(coding, hr_span_str(names[i]))) {
            return true;
        }
    }
    return false;
}

static void take_transfer_encoding(struct http_head *h, struct hr_span value)
{
    struct http_framing_facts *facts = &h->facts;
    struct hr_span member;
    bool odd = facts->has_coding;
    facts->has_coding = true;
    while (http_list_next(&value, &member)) {
        struct hr_span rest = member;
        struct hr_span coding = hr_span_trim(hr_span_cut(&rest, ';'));
        odd |= facts->chunked || !is_known_coding(member);
        facts->chunked = hr_span_equal_nocase(coding, HR_SPAN("chunked"));
        facts->transfer_coded |= !hr_span_equal_nocase(coding, HR_SPAN("identity"));
    }
    h->anomalies |= odd ? HTTP_ANOMALY_ODD_CODING : 0u;
}

/* @param is_bare  no white space around the name: there, readers differ on whether it is a field */
static void take_field(struct http_parser *p, struct hr_span name, struct hr_span value,
                       bool is_bare)
{
    struct http_head *h = p->head;
    h->anomalies |= is_bare ? 0u : HTTP_ANOMALY_BAD_FIELD;
    switch (name.len) {
    case 7:
        h->facts.has_upgrade |= hr_span_equal_nocase(name, HR_SPAN("upgrade"));
        break;
    case 10:
        h->facts.connection_upgrade |= hr_span_equal_nocase(name, HR_SPAN("connection")) &&
                                       http_list_has(value, HR_SPAN("upgrade"));
        break;
    case 14:
        if (hr_span_equal_nocase(name, HR_SPAN("content-length"))) {
            take_length(h, value);
            h->anomalies |= is_bare ? 0u : HTTP_ANOMALY_BAD_LENGTH;
        }
        break;
    case 17:
        if (hr_span_equal_nocase(name, HR_SPAN("transfer-encoding"))) {
            take_transfer_encoding(h, value);
            h->anomalies |= is_bare ? 0u : HTTP_ANOMALY_ODD_CODING;
        }
        break;
    default:
        break;
    }
    if (h->field_count == p->field_limit) {
        h->anomalies |= HTTP_ANOMALY_FIELDS_CUT;
        return;
    }
    p->fields[h->field_count++] = (struct http_field){name, value};
}

static int on_name(llhttp_t *ll, const char *at, size_t len)
{
    struct http_parser *p = ll->data;
    p->name = hr_span_of(at, len);
    p->value = hr_span_of(at + len, 0);
    return 0;
}

static int on_value(llhttp_t *ll, const char *at, size_t len)
{
    struct http_parser *p = ll->data;
    p->value = hr_span_of(at, len);
    return 0;
}

static int on_value_complete(llhttp_t *ll)
{
    struct http_parser *p = ll->data;
    struct hr_span name = hr_span_trim(p->name);
    /* llhttp takes blanks for part of a name, and a name may be nothing but them */
    if (name.len == 0 || hr_span_find(name, ' ') != SIZE_MAX) {
        p->head->anomalies |= HTTP_ANOMALY_BAD_FIELD;
    }
    if (name.len > 0) {
        take_field(p, name, hr_span_trim(p->value), name.len == p->name.len);
    }
    return 0;
}

static int on_section_complete(llhttp_t *ll)
{
    (void)ll;
    return HPE_PAUSED;
}

struct http_parser *http_parser_create(size_t field_limit)
{
    static const char line[] = "GET / HTTP/1.1\r\n";
    struct http_parser *p = hr_xcalloc(1, sizeof(*p));
    p->field_limit = field_limit;
    p->fields = hr_xcalloc(field_limit > 0 ? field_limit : 1, sizeof(*p->fields));
    llhttp_settings_init(&p->settings);
    p->settings.on_header_field = on_name;
    p->settings.on_header_value = on_value;
    p->settings.on_header_value_complete = on_value_complete;
    p->settings.on_headers_complete = on_section_complete;
    llhttp_init(&p->at_fields, LLHTTP_REQUEST, &p->settings);
    p->at_fields.data = p;
    llhttp_set_lenient_headers(&p->at_fields, 1);
    llhttp_set_lenient_chunked_length(&p->at_fields, 1);
    llhttp_set_lenient_keep_alive(&p->at_fields, 1);
    llhttp_set_lenient_transfer_encoding(&p->at_fields, 1);
#if LLHTTP_VERSION_MAJOR >= 9
    llhttp_set_lenient_version(&p->at_fields, 1);
    llhttp_set_lenient_data_after_close(&p->at_fields, 1);
    llhttp_set_lenient_optional_lf_after_cr(&p->at_fields, 1);
#endif
    llhttp_execute(&p->at_fields, line, sizeof(line) - 1);
    return p;
}

void http_parser_destroy(struct http_parser *p)
{
    if (p == NULL) {
        return;
    }
    free(p->fields);
    free(p->unfolded);
    free(p);
}

bool http_parser_was_strict(const struct http_parser *p)
{
    return p->was_strict;
}

/* RFC 9112 5.2: joins folded lines by one space, in a copy. */
static struct hr_span unfold(struct http_parser *p, struct hr_span bytes)
{
    if (p->unfolded_size < bytes.len) {
        p->unfolded = hr_xrealloc(p->unfolded, bytes.len);
        p->unfolded_size = bytes.len;
    }
    size_t n = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.ptr[i];
        bool fold = c == '\n' && i + 1 < bytes.len && n > 0 &&
                    (bytes.ptr[i + 1] == ' ' || bytes.ptr[i + 1] == '\t');
        if (!fold) {
            p->unfolded[n++] = c;
            continue;
        }
        while (n > 0 && (p->unfolded[n - 1] == '\r' || p->unfolded[n - 1] == ' ' ||
                         p->unfolded[n - 1] == '\t')) {
            n--;
        }
        while (i + 1 < bytes.len && (bytes.ptr[i + 1] == ' ' || bytes.ptr[i + 1] == '\t')) {
            i++;
        }
        p->unfolded[n++] = ' ';
    }
    return hr_span_of(p->unfolded, n);
}

/* Puts what both readers begin with into *h. @return the field section */
static struct hr_span begin(struct http_parser *p, struct hr_span bytes,
                            const struct http_start_line *line, struct http_head_shape shape,
                            struct http_head *h)
{
    *h = (struct http_head){.bytes = bytes, .line = *line, .fields = p->fields};
    if (shape.has_fold) {
        h->bytes = unfold(p, bytes);
        h->anomalies |= HTTP_ANOMALY_OBS_FOLD;
        if (line->side ==
            HTTP_REQUEST) { /* the start line holds no fold, but it may lose a blank */
            h->line.method.ptr = h->bytes.ptr + (line->method.ptr - bytes.ptr);
            h->line.target.ptr = h->bytes.ptr + (line->target.ptr - bytes.ptr);
        }
    }
    if (line->version == 9) {
        h->anomalies |= HTTP_ANOMALY_NO_VERSION;
    }
    if (shape.has_bare_lf) {
        h->anomalies |= HTTP_ANOMALY_BARE_LF;
    }
    p->head = h;
    struct hr_span section = h->bytes;
    struct hr_span skipped;
    http_line_next(&section, &skipped);
    return section;
}

static void read_lines(struct http_parser *p, struct hr_span section)
{
    struct hr_span line;
    while (http_line_next(&section, &line) && line.len > 0) {
        struct http_field f;
        bool is_field = http_field_line_parse(line, &f);
        if (!is_field || !http_is_token(f.name)) {
            p->head->anomalies |= HTTP_ANOMALY_BAD_FIELD;
        }
        if (is_field) {
            take_field(p, f.name, f.value, f.name.ptr == line.ptr && f.name.ptr[f.name.len] == ':');
        }
    }
}

/* What follows from all fields together. */
static void conclude(struct http_head *h)
{
    const struct http_framing_facts *f = &h->facts;
    bool is_request = h->line.side == HTTP_REQUEST;
    if (f->has_length && f->has_coding) {
        h->anomalies |= HTTP_ANOMALY_LENGTH_AND_CODING;
    }
    if (is_request && f->has_coding && (!f->chunked || h->line.version < 11)) {
        h->anomalies |= HTTP_ANOMALY_ODD_CODING; /* RFC 9112 6.1, 6.3 */
    }
}

void http_parser_read(struct http_parser *p, struct hr_span bytes,
                      const struct http_start_line *line, struct http_head_shape shape,
                      struct http_head *ret_head)
{
    struct hr_span section = begin(p, bytes, line, shape, ret_head);
    llhttp_t ll = p->at_fields;
    llhttp_errno_t error = llhttp_execute(&ll, section.ptr, section.len);
    if (error == HPE_OK) { /* cut at a line end */
        error = llhttp_execute(&ll, "\r\n", 2);
    }
    p->was_strict = error == HPE_PAUSED;
    if (!p->was_strict) {
        section = begin(p, bytes, line, shape, ret_head);
        read_lines(p, section);
    }
    conclude(ret_head);
}

void http_parser_read_lenient(struct http_parser *p, struct hr_span bytes,
                              const struct http_start_line *line, struct http_head_shape shape,
                              struct http_head *ret_head)
{
    read_lines(p, begin(p, bytes, line, shape, ret_head));
    conclude(ret_head);
}
