/*
 * The numbers of link types. LINKTYPE_ stands in files and is the same everywhere; DLT_ is
 * libpcap's and, below 104, the operating system's. https://www.tcpdump.org/linktypes.html
 */
#include "base/alloc.h"
#include "capture/file.h"

#include <pcap/pcap.h>
#include <stdio.h>

/* Those whose numbers differ; all others are equal. */
static const struct {
    uint32_t link_type;
    int dlt;
} renumbered[] = {
    {12,  DLT_RAW        }, /* as some systems wrote it */
    {14,  DLT_RAW        },
    {100, DLT_ATM_RFC1483},
    {101, DLT_RAW        },
    {102, DLT_SLIP_BSDOS },
    {103, DLT_PPP_BSDOS  },
    {104, DLT_C_HDLC     },
    {106, DLT_ATM_CLIP   },
    {107, DLT_FRELAY     },
    {108, DLT_LOOP       },
    {109, DLT_ENC        },
};

static int link_to_dlt(uint32_t link_type)
{
    for (size_t i = 0; i < HR_ARRAY_LEN(renumbered); i++) {
        if (renumbered[i].link_type == link_type) {
            return renumbered[i].dlt;
        }
    }
    return (int)link_type;
}

uint32_t capture_link_of(int dlt)
{
    uint32_t link = (uint32_t)dlt;
    for (size_t i = 0; i < HR_ARRAY_LEN(renumbered); i++) {
        link = renumbered[i].dlt == dlt ? renumbered[i].link_type : link; /* the last is the right one */
    }
    return link;
}

void capture_link_name(uint32_t link_type, char *text, size_t size)
{
    const char *name = pcap_datalink_val_to_name(link_to_dlt(link_type));
    if (name != NULL) {
        snprintf(text, size, "%s", name);
    } else {
        snprintf(text, size, "link type %u", link_type);
    }
}
