/*
 * support/test.h - cmocka's includes in the order it wants.
 */
#ifndef HR_TESTS_SUPPORT_TEST_H
#define HR_TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
