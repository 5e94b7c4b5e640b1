// Where the places of a grid lie in the picture: their taps along each axis, and what these count
// for. See reference/grid_sample.py.
#pragma once
#include "grid_sample_api.hh"
#include "vec.hh"

namespace TCN_ISA {

constexpr int BLOCK = 32;    // places whose taps are found together, in vectors
constexpr double FAR = 1e9;  // pixels; an int32 holds it

// The taps of a block of places along one axis.
template <class T, int TAPS>
struct Taps {
  int32_t pixel[TAPS][BLOCK];  // -1: there is none
  T weight[TAPS][BLOCK], slope[TAPS][BLOCK];
};

// Of numbers that an int32 holds; the library's function would be a call on the oldest machines.
template <class T>
TCN_INLINE T floor_of(T v) {
  const T cut = T(int32_t(v));
  return cut - (cut > v ? T(1) : T(0));
}

// The nearest integer; of two, the even one.
template <class T>
TCN_INLINE T nearest(T v) {
  const T low = floor_of(v), t = v - low;
  const T odd = T(int32_t(low) & 1);
  return low + (t > T(0.5) ? T(1) : t == T(0.5) ? odd : T(0));
}

// The place inside the picture that a place outside shows, and `slope` times its derivative.
template <int PADDING, class T>
TCN_INLINE T padded(T place, T size, bool align, T* slope) {
  if (PADDING == ZEROS) return place;
  const T last = size - 1;
  if (PADDING == REFLECTION) {
    const T edge = align ? T(0) : T(-0.5), span = align ? last : size;
    place -= edge;
    T sign = place < 0 ? T(-1) : T(1);
    place = place < 0 ? -place : place;
    const T turns = floor_of(place / (span > 1 ? span : T(1)));
    place -= turns * span;
    const bool odd = int32_t(turns) & 1;
    place = (odd ? span - place : place) + edge;
    *slope *= odd ? -sign : sign;
  }
  *slope *= T((place > 0) & (place < last));
  place = place > 0 ? place : T(0);
  return place < last ? place : last;
}

// Keys' cubic with a = -0.75 at a distance of d, and its derivative.
template <bool NEAR, class T>
TCN_INLINE void keys(T d, T side, T* weight, T* slope) {
  const T a = T(-0.75);
  if (NEAR) {
    *weight = ((a + 2) * d - (a + 3)) * d * d + 1;
    *slope = side * (3 * (a + 2) * d - 2 * (a + 3)) * d;
  } else {
    *weight = ((d - 5) * d + 8) * d * a - 4 * a;
    *slope = side * ((3 * d - 10) * d + 8) * a;
  }
}

// In several loops without a branch, of which the compiler makes vectors; all in one it does not.
template <class T, int TAPS, int PADDING>
TCN_INLINE void find_taps(T* place, int64_t pixels, bool align, Taps<T, TAPS>& r) {
  const T size = T(pixels), across = align ? size - 1 : size, outside = align ? T(0) : T(1);
  T slope[BLOCK], shown[TAPS][BLOCK];
  for (int b = 0; b < BLOCK; ++b) {
    T v = ((place[b] + 1) * across - outside) / 2;
    if (PADDING == REFLECTION) {
      v = (v > T(-FAR)) & (v < T(FAR)) ? v : T(0);
    } else {  // from further away the same is seen; NaN counts as low
      v = v > -4 ? v : T(-4);
      v = v < size + 4 ? v : size + 4;
    }
    place[b] = v;
    slope[b] = across / 2;
  }
  if (TAPS < 4)
    for (int b = 0; b < BLOCK; ++b) place[b] = padded<PADDING>(place[b], size, align, &slope[b]);
  for (int b = 0; b < BLOCK; ++b) {
    const T low = TAPS == 1 ? nearest(place[b]) : floor_of(place[b]), t = place[b] - low;
    TCN_UNROLL for (int k = 0; k < TAPS; ++k) shown[k][b] = low + (TAPS == 4 ? k - 1 : k);
    if constexpr (TAPS == 1) r.weight[0][b] = 1, r.slope[0][b] = 0;
    if constexpr (TAPS == 2) {
      r.weight[0][b] = 1 - t, r.slope[0][b] = -slope[b];
      r.weight[1][b] = t, r.slope[1][b] = slope[b];
    }
    if constexpr (TAPS == 4) {
      keys<false>(t + 1, slope[b], &r.weight[0][b], &r.slope[0][b]);
      keys<true>(t, slope[b], &r.weight[1][b], &r.slope[1][b]);
      keys<true>(1 - t, -slope[b], &r.weight[2][b], &r.slope[2][b]);
      keys<false>(2 - t, -slope[b], &r.weight[3][b], &r.slope[3][b]);
    }
  }
  for (int k = 0; k < TAPS; ++k) {
    if (TAPS == 4)  // whose derivatives take no account of it
      for (int b = 0; b < BLOCK; ++b)
        shown[k][b] = padded<PADDING>(shown[k][b], size, align, &slope[b]);
    for (int b = 0; b < BLOCK; ++b) {
      const int32_t whole = int32_t(shown[k][b]);
      r.pixel[k][b] = (shown[k][b] >= 0) & (shown[k][b] < size) ? whole : -1;
    }
  }
}

// Pixels that a place shows, at most; bicubic pictures have two axes.
template <int TAPS>
constexpr int MOST_TAPS = TAPS < 4 ? TAPS * TAPS * TAPS : TAPS * TAPS;

// The taps of a block of places along W, H, D.
template <class T, int TAPS>
struct Block {
  Taps<T, TAPS> axis[3];
  int planes;  // taps along D: a picture without D is a volume of one plane

  explicit Block(const GridPlan& p) : planes(TAPS < 4 && p.axes == 3 ? TAPS : 1) {
    auto& d = axis[2];
    for (int b = 0; b < BLOCK; ++b) d.pixel[0][b] = 0, d.weight[0][b] = 1, d.slope[0][b] = 0;
  }

  void find(const GridPlan& p, const T* grid, int64_t places) {
    for (int a = 0; a < p.axes; ++a) {
      T coordinates[BLOCK] = {};
      if (p.axes == 2 && places >= BLOCK)  // sizes that the compiler knows: vectors
        for (int b = 0; b < BLOCK; ++b) coordinates[b] = grid[b * 2 + a];
      else
        for (int b = 0; b < (places < BLOCK ? places : BLOCK); ++b)
          coordinates[b] = grid[b * p.axes + a];
      const int64_t size = p.size[2 - a];
      if (p.padding == ZEROS)
        find_taps<T, TAPS, ZEROS>(coordinates, size, p.align_corners, axis[a]);
      else if (p.padding == BORDER)
        find_taps<T, TAPS, BORDER>(coordinates, size, p.align_corners, axis[a]);
      else
        find_taps<T, TAPS, REFLECTION>(coordinates, size, p.align_corners, axis[a]);
    }
  }
};

// The taps of a place: where their pixels begin, what they count for.
template <class T, int TAPS, bool SLOPES>
struct Place {
  int64_t at[MOST_TAPS<TAPS>];
  T weight[MOST_TAPS<TAPS>], slope[SLOPES ? MOST_TAPS<TAPS> : 1][3];  // slope along x, y, z
  int count;

  TCN_INLINE void add_plane(const GridPlan& p, const Block<T, TAPS>& block, int b,
                            int64_t first_row, T of_d, T slope_d) {
    const auto &w = block.axis[0], &h = block.axis[1];
    TCN_UNROLL for (int j = 0; j < TAPS; ++j) {
      if (h.pixel[j][b] < 0) continue;
      const int64_t row = (first_row + h.pixel[j][b]) * p.size[2];
      TCN_UNROLL for (int k = 0; k < TAPS; ++k) {
        if (w.pixel[k][b] < 0) continue;
        const int i = count++;
        at[i] = (row + w.pixel[k][b]) * p.c;
        weight[i] = of_d * h.weight[j][b] * w.weight[k][b];
        if (!SLOPES) continue;
        slope[i][0] = of_d * h.weight[j][b] * w.slope[k][b];
        slope[i][1] = of_d * h.slope[j][b] * w.weight[k][b];
        slope[i][2] = slope_d * h.weight[j][b] * w.weight[k][b];
      }
    }
  }

  TCN_INLINE void find(const GridPlan& p, int64_t image, const Block<T, TAPS>& block, int b) {
    const int64_t D = p.size[0], H = p.size[1];
    const auto& d = block.axis[2];
    count = 0;
    for (int i = 0; i < block.planes; ++i)
      if (d.pixel[i][b] >= 0)
        add_plane(p, block, b, (image * D + d.pixel[i][b]) * H, d.weight[i][b], d.slope[i][b]);
  }
};

}  // namespace TCN_ISA
