/* SPDX-License-Identifier: Apache-2.0 */
#include "app/setup/turn.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>

#define MS_PER_S 1000

static bool may_look_again(struct gr_turn *turn)
{
    if (turn->looks >= turn->wait_s * MS_PER_S / GR_TURN_LOOK_MS)
        return false;
    if (turn->looks == 0)
        turn->waits(turn->lock.shown, turn->wait_s);
    turn->looks++;
    (void)poll(NULL, 0, GR_TURN_LOOK_MS);
    return true;
}

int gr_turn_take(struct gr_turn *turn, int dir, int *out_lock, struct gr_err *err)
{
    int rc;

    do {
        rc = gr_lock_take(&turn->lock, dir, out_lock, err);
    } while (rc == -EWOULDBLOCK && may_look_again(turn));
    if (rc != -EWOULDBLOCK)
        return rc;
    return gr_fail(err, rc, "setup-busy",
                   "expected %s for this command alone, found that another one has it locked and "
                   "is not done after %" PRIu64 " s; wait longer (--wait), or end that process if "
                   "it hangs (lslocks names it)",
                   turn->lock.shown, turn->wait_s);
}
