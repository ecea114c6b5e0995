#!/usr/bin/env bash
# Assembles resident.S and prints it as hex, 16 bytes a line: the form in which it is kept as a resource.
#   ./assemble.sh > ../resources/io/pilotlight/engine/resident.hex
set -euo pipefail
source=${1:-"$(dirname "$0")/resident.S"}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
as --64 -o "$work/resident.o" "$source"
objcopy -O binary --only-section=.text "$work/resident.o" "$work/resident.bin"
od -An -v -tx1 -w16 "$work/resident.bin" | sed 's/^ //'
