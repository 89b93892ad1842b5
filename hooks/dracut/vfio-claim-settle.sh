#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced: no exit here.

[ ! -x @LIBDIR@/vfio-claim-early ] || @LIBDIR@/vfio-claim-early settle
