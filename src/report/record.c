#include "report/record.h"

#include "base/alloc.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* A value in any of the forms, so that each form is written from one place. */
struct value {
    enum { VALUE_NULL, VALUE_INT, VALUE_TEXT, VALUE_TIME, VALUE_BOOL, VALUE_CUSTOM } form;
    int64_t number;
    const char *text;
};

static struct value value_of(const struct record_field *f, const void *row)
{
    const char *at = (const char *)row + f->offset;
    int64_t number = 0;
    const char *text = NULL;
    bool truth = false;
    int small = 0;
    switch (f->kind) {
    case RECORD_INT:
    case RECORD_SPAN:
        memcpy(&number, at, sizeof(number));
        return (struct value){VALUE_INT, number, NULL};
    case RECORD_INT_OR_NULL:
        memcpy(&number, at, sizeof(number));
        return (struct value){number != 0 ? VALUE_INT : VALUE_NULL, number, NULL};
    case RECORD_INT_SIGNED:
        memcpy(&number, at, sizeof(number));
        return (struct value){number >= 0 ? VALUE_INT : VALUE_NULL, number, NULL};
    case RECORD_SMALL_OR_NULL:
        memcpy(&small, at, sizeof(small));
        return (struct value){small != 0 ? VALUE_INT : VALUE_NULL, small, NULL};
    case RECORD_TEXT:
        memcpy(&text, at, sizeof(text));
        return (struct value){text != NULL ? VALUE_TEXT : VALUE_NULL, 0, text};
    case RECORD_TIME:
        memcpy(&number, at, sizeof(number));
        return (struct value){number != HR_NSEC_INFINITE ? VALUE_TIME : VALUE_NULL, number, NULL};
    case RECORD_BOOL:
        memcpy(&truth, at, sizeof(truth));
        return (struct value){VALUE_BOOL, truth ? 1 : 0, NULL};
    case RECORD_CUSTOM:
        return (struct value){VALUE_CUSTOM, 0, NULL};
    }
    return (struct value){VALUE_NULL, 0, NULL};
}

static void append_value_json(struct hr_json *j, const struct record_field *f, const void *row)
{
    struct value v = value_of(f, row);
    switch (v.form) {
    case VALUE_NULL:
        hr_json_null(j);
        break;
    case VALUE_INT:
        hr_json_int(j, v.number);
        break;
    case VALUE_TEXT:
        hr_json_str(j, v.text);
        break;
    case VALUE_TIME:
        hr_json_time(j, v.number);
        break;
    case VALUE_BOOL:
        hr_json_bool(j, v.number != 0);
        break;
    case VALUE_CUSTOM:
        f->emit(j, row);
        break;
    }
}

void record_put_json(struct hr_json *j, const struct record_type *t, const void *row)
{
    hr_json_object_begin(j);
    hr_json_key(j, "schema");
    hr_json_int(j, RECORD_SCHEMA_VERSION);
    if (t->type != NULL) {
        hr_json_key(j, "type");
        hr_json_str(j, t->type);
    }
    for (size_t i = 0; i < t->field_count; i++) {
        hr_json_key(j, t->fields[i].key);
        append_value_json(j, &t->fields[i], row);
    }
    hr_json_object_end(j);
}

void record_append_json(struct hr_buf *out, const struct record_type *t, const void *row)
{
    struct hr_json j;
    hr_json_init(&j, out);
    record_put_json(&j, t, row);
    hr_buf_append_char(out, '\n');
}

/* The value without quotes; lists as JSON. */
static void append_plain(struct hr_buf *out, const struct record_field *f, const void *row)
{
    char time[HR_TIME_TEXT_SIZE];
    struct hr_json j;
    struct value v = value_of(f, row);
    switch (v.form) {
    case VALUE_NULL:
        break;
    case VALUE_INT:
        hr_buf_appendf(out, "%" PRId64, v.number);
        break;
    case VALUE_TEXT:
        hr_buf_append_str(out, v.text);
        break;
    case VALUE_TIME:
        hr_buf_append_str(out, hr_time_format(v.number, time));
        break;
    case VALUE_BOOL:
        hr_buf_append_str(out, v.number != 0 ? "true" : "false");
        break;
    case VALUE_CUSTOM: {
        size_t from = out->len;
        hr_json_init(&j, out);
        f->emit(&j, row);
        if (out->len - from == 4 && memcmp(out->ptr + from, "null", 4) == 0) {
            out->len = from;
            out->ptr[from] = '\0';
        }
        break;
    }
    }
}

void record_append_csv_header(struct hr_buf *out, const struct record_type *t)
{
    /* Some guess from the first quotes what separates cells: these stand beside commas for sure. */
    for (size_t i = 0; i < t->field_count; i++) {
        hr_buf_appendf(out, "%s\"%s\"", i > 0 ? "," : "", t->fields[i].key);
    }
    hr_buf_append_str(out, "\r\n");
}

void record_append_csv(struct hr_buf *out, const struct record_type *t, const void *row)
{
    struct hr_buf cell;
    hr_buf_init(&cell, SIZE_MAX);
    for (size_t i = 0; i < t->field_count; i++) {
        if (i > 0) {
            hr_buf_append_char(out, ',');
        }
        hr_buf_clear(&cell);
        append_plain(&cell, &t->fields[i], row);
        struct value v = value_of(&t->fields[i], row);
        if (v.form == VALUE_INT) {
            hr_buf_append(out, hr_buf_span(&cell)); /* a negative number is no formula */
        } else {
            hr_text_append_csv(out, hr_buf_span(&cell));
        }
    }
    hr_buf_append_str(out, "\r\n");
    hr_buf_finish(&cell);
}

void record_append_text(struct hr_buf *out, const struct record_field *f, const void *row)
{
    struct hr_buf plain;
    struct value v = value_of(f, row);
    char text[HR_TIME_TEXT_SIZE];
    if (v.form == VALUE_TIME) {
        /* Microseconds are what most captures have; the T would only hinder reading. */
        hr_time_format(v.number, text);
        size_t n = strlen(text);
        if (n > 10 && text[10] == 'T') {
            text[10] = ' ';
        }
        if (n > 4) {
            text[n - 4] = '\0'; /* "nnnZ" */
        }
        hr_buf_append_str(out, text);
        return;
    }
    if (v.form == VALUE_BOOL) {
        hr_buf_append_str(out, v.number != 0 ? "yes" : "");
        return;
    }
    if (f->kind == RECORD_SPAN) {
        hr_buf_append_str(out, hr_duration_format(v.number, text));
        return;
    }
    hr_buf_init(&plain, SIZE_MAX);
    append_plain(&plain, f, row);
    hr_text_append_terminal(out, hr_buf_span(&plain));
    hr_buf_finish(&plain);
}
