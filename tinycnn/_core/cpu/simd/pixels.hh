// Where the pixels of a tile of a map lie: found once, and then used for all channels of the tile.
// Those outside the map lie at zeros, or where nothing is read, so that no code asks where a map
// ends.
#pragma once
#include "vec.hh"

namespace TCN_ISA {

// Channels that share addresses, and the most that may: as many numbers are zero at NOTHING.
constexpr int64_t SLICE = 64, LONG_SLICE = 512;

template <class T>
alignas(64) constexpr T NOTHING[LONG_SLICE] = {};

// Addresses of a first channel.
template <class T, int ROWS, int COLUMNS>
struct Pixels {
  T* at[ROWS * COLUMNS];
  // From (h, w) on in a map of so many pixels and channels; `outside` if they are not in it.
  TCN_INLINE void find(T* map, int64_t high, int64_t across, int64_t channels, int64_t h, int64_t w,
                       T* outside) {
    T* corner = map + (h * across + w) * channels;
    for (int r = 0; r < ROWS; ++r)
      for (int s = 0; s < COLUMNS; ++s) {
        const bool inside =
            int(h + r >= 0) & int(h + r < high) & int(w + s >= 0) & int(w + s < across);
        at[r * COLUMNS + s] = inside ? corner + (r * across + s) * channels : outside;
      }
  }
};

}  // namespace TCN_ISA
