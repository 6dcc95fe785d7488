/* SPDX-License-Identifier: MIT */
/* listener.h -- the socket of a server, and what a fork makes of it */
#ifndef DUSK_INSPECTOR_LISTENER_H
#define DUSK_INSPECTOR_LISTENER_H

#include "inspector/server.h"

/* Between these two nobody forks.  Returns 0 or an errno value, and then there
 * is no listener_unlock(). */
int listener_lock(void);
void listener_unlock(void);

/* Listens on 127.0.0.1, on `port` or for 0 on a free one; sets `listener` and
 * `port` of the inspector.  Returns 0 or an errno value. */
int listener_open(struct dusk_inspector *inspector, unsigned port);

/* The child of a fork closes the inspector's socket from now on.  Between
 * listener_lock() and listener_unlock(). */
void listener_add(struct dusk_inspector *inspector);

/* From now on nobody can connect, and the port may be taken by others.  The
 * socket is left to the daemon, which closes it.  Returns false in the child of
 * a fork that has inherited the inspector: there it is closed. */
bool listener_end(struct dusk_inspector *inspector);

#endif
