#!/bin/sh
# A bright bar in the dark has an edge on either side, and nowhere else.
set -eu
mkdir -p /tmp/images /tmp/out
cat > /tmp/images/bar.pgm << 'IMAGE'
P2
8 3
255
0 0 0 255 255 0 0 0
0 0 0 255 255 0 0 0
0 0 0 255 255 0 0 0
IMAGE
cat > /tmp/expected << 'IMAGE'
P2
8 3
255
0 0 0 0 0 0 0 0
0 0 255 255 255 255 0 0
0 0 0 0 0 0 0 0
IMAGE
sh /edges/edges.sh /tmp/images /tmp/out
diff /tmp/expected /tmp/out/bar.pgm
echo "edges: 1 image, as expected"
