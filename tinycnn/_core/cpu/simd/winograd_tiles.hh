// How Winograd's convolution cuts maps into tiles: sizes only; the same for every number type.
//
// A tile writes M outputs along an axis, and is known by its values at M + R - 1 points
// (winograd_transform.hh). The last tile of an axis writes the outputs that are left, m <= M, and
// is known by m + R - 1 points, the first ones of the M + R - 1. So the tiles of a map are of four
// kinds, and each kind takes part in the products of some of the positions, (point, point):
//
//     14 x 14 outputs, F(4x4, 3x3)             points across   0 1 2 3   4 5
//     +----+----+----+--+                                    +---------+-----+
//     | 4x4| 4x4| 4x4| R|    R: 4x2 outputs,   points high   |  R F    | F   |
//     +----+----+----+--+       6x4 points              0-3  |    B C  |   B |
//     | 4x4| 4x4| 4x4| R|    B: 2x4, 4x6                     +---------+-----+
//     +----+----+----+--+    C: 2x2, 4x4                4,5  |  R F    | F   |
//     | 4x4| 4x4| 4x4| R|    F: the full ones                +---------+-----+
//     +----+----+----+--+
//     | B  | B  | B  | C|    22 x 22 products of a map, not 24 x 24
//     +----+----+----+--+
//
// Tiles are numbered by kinds, R F B C, of all maps: those of a position are a range of numbers.
// Where time goes into reading pixels, it is better to take the tiles of a map one after the other,
// and all of them full.
#pragma once
#include "conv_api.hh"

// Tiles along an axis. Taps that a dilation moves `apart` see every apart-th pixel only: so many
// interleaved grids, which have nothing to do with one another, are each cut into tiles.
struct TileAxis {
  int64_t apart;       // from one pixel of a tile to the next; also the number of grids
  int64_t full;        // tiles of a grid that write all their outputs
  int64_t outs, rest;  // outputs of these; of the last tile, 0 if there is none but full ones

  TileAxis() = default;
  TCN_INLINE TileAxis(const Axis& a, int64_t outs_, bool narrow) : apart(a.delta), outs(outs_) {
    const int64_t grid = (a.out + apart - 1) / apart;  // the longest; others are 1 shorter
    full = (grid + (narrow ? 0 : outs - 1)) / outs;
    rest = narrow ? grid % outs : 0;
  }
  // Tiles that are full, or are not.
  TCN_INLINE int64_t count(bool narrow) const { return narrow ? apart * (rest > 0) : apart * full; }
  TCN_INLINE int64_t outputs(bool narrow) const { return narrow ? rest : outs; }
  // The first pixel that tile i of these writes.
  TCN_INLINE int64_t start(int64_t i, bool narrow) const {
    return narrow ? i + full * outs * apart : i / full + i % full * outs * apart;
  }
};

// Tiles, or rows of a matrix, [from, to).
struct TileRange {
  int64_t from, to;
  TCN_INLINE int64_t count() const { return to > from ? to - from : 0; }
};

// How maps are cut into tiles.
struct MapTiles {
  int64_t taps, out, in;  // of a window, and pixels of a full tile, along each axis: written, read
  TileAxis high, across;  // along H and W of a map
  int64_t kind_from[5];   // where the numbers of each kind begin
  int64_t tiles;          // of all maps

  static TCN_INLINE bool narrow_high(int kind) { return kind >= 2; }
  static TCN_INLINE bool narrow_across(int kind) { return kind == 0 || kind == 3; }

  MapTiles() = default;
  // A window of 5 leaves 2 outputs: tiles that see more than 6 x 6 pixels err too much.
  explicit TCN_INLINE MapTiles(const Gather& g, bool narrow = true)
      : taps(g.axis[1].taps),
        out(taps == 5 ? 2 : 4),
        in(out + taps - 1),
        high(g.axis[1], out, narrow),
        across(g.axis[2], out, narrow) {
    const int64_t maps = g.images * g.axis[0].out;
    kind_from[0] = 0;
    for (int k = 0; k < 4; ++k) kind_from[k + 1] = kind_from[k] + maps * in_map(k);
    tiles = kind_from[4];
  }
  TCN_INLINE int64_t positions() const { return in * in; }
  TCN_INLINE int64_t in_map(int kind) const {
    return high.count(narrow_high(kind)) * across.count(narrow_across(kind));
  }
  // Multiplications of a channel pair in a tile.
  TCN_INLINE int64_t cost(int kind) const {
    return (high.outputs(narrow_high(kind)) + taps - 1) *
           (across.outputs(narrow_across(kind)) + taps - 1);
  }
  TCN_INLINE int64_t cost() const {
    int64_t sum = 0;
    for (int k = 0; k < 4; ++k) sum += (kind_from[k + 1] - kind_from[k]) * cost(k);
    return sum;
  }
  // The tile at which part i of n begins, all parts of about the same cost.
  TCN_INLINE int64_t part(int64_t i, int64_t n) const {
    int64_t left = cost() / n * i + cost() % n * i / n;
    for (int k = 0; k < 4; ++k) {
      const int64_t count = kind_from[k + 1] - kind_from[k];
      if (left < count * cost(k)) return kind_from[k] + left / cost(k);
      left -= count * cost(k);
    }
    return tiles;
  }
  // The tiles among [from, to) that take part in position p: rows from `from` on.
  TCN_INLINE TileRange rows(int64_t p, int64_t from, int64_t to) const {
    const bool all_high = !high.rest || p / in < high.rest + taps - 1;
    const bool all_across = !across.rest || p % in < across.rest + taps - 1;
    const int64_t lo = kind_from[all_across ? 0 : 1];
    const int64_t hi = kind_from[!all_high ? 2 : all_across ? 4 : 3];
    return TileRange{(lo > from ? lo : from) - from, (hi < to ? hi : to) - from};
  }
};

// One tile of a map: where it starts, and how many outputs it writes.
struct MapTile {
  int64_t map, h, w;
  int high, across;
  TCN_INLINE MapTile(const MapTiles& t, int64_t tile) {
    int kind = 0;
    while (tile >= t.kind_from[kind + 1]) ++kind;
    const bool nh = t.narrow_high(kind), nw = t.narrow_across(kind);
    const int64_t i = tile - t.kind_from[kind], columns = t.across.count(nw);
    map = i / t.in_map(kind);
    h = t.high.start(i / columns % t.high.count(nh), nh);
    w = t.across.start(i % columns, nw);
    high = int(t.high.outputs(nh));
    across = int(t.across.outputs(nw));
  }
};
