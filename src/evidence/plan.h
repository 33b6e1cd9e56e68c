/*
 * evidence/plan.h - what is to be cut: the exchanges of findings, and the captures that hold them,
 * by import: what was read together is read together again, so that connections come out the same.
 */
#ifndef HR_EVIDENCE_PLAN_H
#define HR_EVIDENCE_PLAN_H

#include "base/arena.h"
#include "base/buf.h"
#include "evidence/intake.h"
#include "store/read_cut.h"

/* What an exchange is in one finding. */
struct plan_note {
    struct plan_note *next;
    int64_t finding;
    const char *rule;
    const char *role; /* login, logout, access, ... */
    const char *text; /* of the evidence; NULL: none */
    bool is_subject;  /* the exchange that the finding is of */
};

struct plan_exchange {
    struct cut_exchange x; /* texts are the plan's */
    struct plan_note *notes; /* in the order of the findings asked for */
    struct plan_note *last_note;
    bool found;
};

struct plan_source {
    struct cut_capture capture; /* texts are the plan's */
    bool is_needed;
    bool is_optional; /* needed for the beginnings of connections only */
    bool is_lost;     /* that, and not to be found */
    char *path;   /* where it lies now; owned; NULL: not looked for */
    size_t place; /* among the captures of the ring, where there is one */
};

struct plan_import {
    int64_t number;
    struct plan_source *sources;
    size_t source_count;
    struct intake_ring *ring; /* to read from in place of files; owned; NULL: none */
    hr_nsec from;            /* what is wanted lies behind it */
};

struct plan {
    struct hr_arena arena;
    struct plan_exchange *exchanges; /* in order of ids */
    size_t exchange_count;
    struct cut_exchange *openings; /* where connections began that go on in a later import */
    size_t opening_count;
    struct plan_import *imports; /* in order of numbers */
    size_t import_count;
};

/** @return 0; -ENOENT with a text where there is no such finding; else the store's error */
int plan_make(struct plan *p, struct store *s, const int64_t *findings, size_t finding_count,
              struct hr_buf *ret_error);
void plan_finish(struct plan *p);

#endif
