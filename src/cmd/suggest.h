/*
 * cmd/suggest.h - which known word was meant?
 */
#ifndef HR_CMD_SUGGEST_H
#define HR_CMD_SUGGEST_H

#include <stddef.h>

/** @return the nearest of the known words, or NULL where none is near */
const char *cmd_suggest(const char *word, const char *const *known, size_t known_count);

#endif
