/* SPDX-License-Identifier: MIT */
/* unit.h -- what every unit test program starts with */
#ifndef DUSK_TESTS_UNIT_UNIT_H
#define DUSK_TESTS_UNIT_UNIT_H

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <check.h>
#include <stdlib.h>

/* Runs a suite, each test in a process of its own (CK_FORK=no: in this one, for
 * a debugger), and returns the exit status for main(). */
static inline int unit_run(Suite *suite)
{
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
