#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sorts before 00-vfio-claim-start.sh.
[ ! -x /test/early ] || /test/early
