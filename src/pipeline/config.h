/*
 * pipeline/config.h - one plain struct with every choice and bound of a run, and one table of the
 * defaults (config.c).
 */
#ifndef HR_PIPELINE_CONFIG_H
#define HR_PIPELINE_CONFIG_H

#include "capture/source.h"
#include "decode/decode.h"
#include "http/exchange.h"
#include "session/extract.h"
#include "tcp/conn.h"

struct pipeline_config {
    struct decode_config decode;
    struct tcp_config tcp;
    struct http_config http;
    struct extract_config extract; /* key is filled from the store */
    hr_nsec clock_error;           /* --clock-error; -1: what the captures show */
};

void pipeline_config_init(struct pipeline_config *c);

#endif
