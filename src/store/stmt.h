/*
 * store/stmt.h - every SQL statement of the store in one named table (stmt.c), prepared when first used.
 */
#ifndef HR_STORE_STMT_H
#define HR_STORE_STMT_H

#include <stdbool.h>

enum stmt_id {
    STMT_BEGIN,
    STMT_COUNT
};

#endif
