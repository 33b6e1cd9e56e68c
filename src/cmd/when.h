/*
 * cmd/when.h - times and spans of time as people type them.
 */
#ifndef HR_CMD_WHEN_H
#define HR_CMD_WHEN_H

#include "base/time.h"

#include <stdbool.h>

/** Now, or what $SOURCE_DATE_EPOCH says, so that what is written can be the same again. */
hr_nsec cmd_now(void);
/** "250us", "30d"; ns, us, ms, s, min, h or d. @return false where it is not that */
bool cmd_parse_span(const char *text, hr_nsec *ret_span);
/** "64M", "64MB"; K, M, G mean 1024, 1024², 1024³. @return false where it is not that */
bool cmd_parse_size(const char *text, uint64_t *ret_size);
/** "5", "0.1", "12.5%": parts per million of a percentage below 100. @return false where it is not that */
bool cmd_parse_percent(const char *text, int64_t *ret_ppm);
/**
 * RFC 3339; or local YYYY-MM-DD[ HH:MM[:SS]] in the zone; or relative, "-2h", to latest.
 * @param zone      a name of the time zone database, or NULL: the system's zone
 * @param is_until  a mere day means its end
 * @param latest    the time of the last packet stored; there is no other "now" in a capture
 * @return false where it is not that
 */
bool cmd_parse_time(const char *text, const char *zone, bool is_until, hr_nsec latest,
                    hr_nsec *ret_at);
/** @return whether the system knows that time zone */
bool cmd_zone_exists(const char *zone);

#endif
