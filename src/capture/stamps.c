#include "capture/stamps.h"

void stamps_init(struct stamps *s)
{
    *s = (struct stamps){
        .latest = INT64_MIN, .set_from_at = HR_NSEC_INFINITE, .set_to_at = INT64_MIN};
}

static void doubt(struct stamps *s, hr_nsec by)
{
    s->doubt = by > s->doubt ? by : s->doubt;
}

void stamps_note(struct stamps *s, hr_nsec at)
{
    hr_nsec back = s->latest != INT64_MIN ? hr_nsec_sub(s->latest, at) : 0;
    hr_nsec jumped = s->jump_from_at - s->jump_to_at;
    if (back < STAMPS_JUMP) {
        doubt(s, back);
        s->latest = at > s->latest ? at : s->latest;
        return;
    }
    /* The clock can have been set once: of two jumps the smaller one was something else. */
    doubt(s, back < jumped ? back : jumped);
    if (back >= jumped) {
        s->jump_from_at = s->latest;
        s->jump_to_at = at;
    }
    s->latest = at;
}

void stamps_set(struct stamps *s, hr_nsec from_at, hr_nsec to_at)
{
    s->set_from_at = from_at;
    s->set_to_at = to_at;
}

void stamps_settle(struct stamps *s)
{
    bool is_explained = s->jump_to_at >= s->set_from_at && s->jump_from_at <= s->set_to_at;
    if (!is_explained) {
        doubt(s, s->jump_from_at - s->jump_to_at);
    }
    s->jump_from_at = s->jump_to_at = 0;
}
