#!/bin/bash
# The costs of the golden nets are those of tests/golden/costs.txt.
scripts/costs
