/* SPDX-License-Identifier: ISC */
#include "lib/peer/deliver.h"

#include <stdio.h>

void deliver_location(const struct deliver_request *request, struct location *loc_out)
{
	*loc_out = (struct location){
	    .lane = (int32_t)request->lane,
	    .epoch = request->epoch,
	    .offset = request->offset,
	};
	snprintf(loc_out->dir, sizeof(loc_out->dir), "%s", request->dir ? request->dir : "");
}

void deliver_set_location(struct deliver_request *request, const struct location *loc)
{
	request->lane = (uint32_t)loc->lane;
	request->epoch = loc->epoch;
	request->offset = loc->offset;
	request->dir = loc->dir;
}
