#include "base/alloc.h"
#include "cmd/cmd.h"

static const struct cmd commands[] = {
    {"audit",   "read captures and report what went wrong in them",     cmd_audit  },
    {"watch",   "listen on interfaces and tell findings as they come",  cmd_watch  },
    {"report",  "write a report about a day, a site, or everything",    cmd_report },
    {"list",    "list findings, sessions, exchanges, streams and more", cmd_list   },
    {"show",    "tell the story of one finding or one session",         cmd_show   },
    {"evidence", "cut the frames behind findings out of the captures",   cmd_evidence},
    {"rules",   "read, check, test and run the rules",                  cmd_rules  },
    {"profile", "print what Headrace assumes of a site, to correct it", cmd_profile},
    {"db",      "look after the database",                              cmd_db     },
};

int main(int argc, char **argv)
{
    return cmd_main(commands, HR_ARRAY_LEN(commands), argc, argv);
}
