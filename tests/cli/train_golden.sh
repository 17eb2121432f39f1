#!/bin/bash
# The reference networks of the cost table are what training gives.
. tests/cli/support.bash

BUILD=$(dirname "$MOTE") scripts/golden-nets
