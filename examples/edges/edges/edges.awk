# Sobel's edges of a plain PGM image (P2): white where the brightness changes by `threshold` or more.

function size(x) { return x < 0 ? -x : x }

{ sub(/#.*/, ""); for (i = 1; i <= NF; i++) value[n++] = $i }

END {
    if (value[0] != "P2") { print "not a plain PGM image" > "/dev/stderr"; exit 1 }
    width = value[1]; height = value[2]; white = value[3]
    print "P2"; print width, height; print white
    for (y = 0; y < height; y++) {
        line = ""
        for (x = 0; x < width; x++) line = line (x ? " " : "") (edge(x, y) ? white : 0)
        print line
    }
}

function at(x, y) { return value[4 + y * width + x] }

function edge(x, y,    across, down) {
    if (x == 0 || y == 0 || x == width - 1 || y == height - 1) return 0
    across = at(x + 1, y - 1) + 2 * at(x + 1, y) + at(x + 1, y + 1) \
           - at(x - 1, y - 1) - 2 * at(x - 1, y) - at(x - 1, y + 1)
    down = at(x - 1, y + 1) + 2 * at(x, y + 1) + at(x + 1, y + 1) \
         - at(x - 1, y - 1) - 2 * at(x, y - 1) - at(x + 1, y - 1)
    return size(across) + size(down) >= threshold
}
