#!/bin/sh
# Every image of the repository `images` becomes its edges, under the same name.
set -eu
threshold=${THRESHOLD:-400}
for image in "${1:-/pfs/images}"/*; do
    awk -v threshold="$threshold" -f /edges/edges.awk "$image" > "${2:-/pfs/out}/$(basename "$image")"
done
