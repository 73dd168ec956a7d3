#include "cell_archive.h"

#include <algorithm>

namespace nes {
namespace {

constexpr std::uint32_t kNewest = 16;
constexpr int kTieBits = 32;

}  // namespace

bool CellArchive::improves(std::int64_t key, int length) const {
  const auto known = indices_.find(key);
  return known == indices_.end() || length < cells_[known->second].way.length;
}

void CellArchive::add(Way way, const Masks& masks, std::vector<Discovery> discoveries) {
  const int start = way.length;
  for (Discovery& found : discoveries) {
    if (!improves(found.key, start + found.steps)) continue;
    for (; way.length < start + found.steps; ++way.length) {
      nodes_.push_back({way.node, masks[way.length - start]});
      way.node = static_cast<int>(nodes_.size()) - 1;
    }
    Cell cell{found.key, found.progress, way, std::move(found.state)};
    const auto [known, is_new] = indices_.emplace(found.key, static_cast<int>(cells_.size()));
    const int index = known->second;
    if (is_new) {
      cells_.push_back(std::move(cell));
      priorities_.push_back(0);
    } else {
      cells_[index] = std::move(cell);
    }
    set_choices(index, 0);
  }
}

int CellArchive::choose() {
  const auto count = static_cast<std::uint32_t>(cells_.size());
  const int index = random_.below(2)
                        ? static_cast<int>(count - 1 - random_.below(std::min(count, kNewest)))
                        : queue_.begin()->second;
  set_choices(index, (priorities_[index] >> kTieBits) + 1);
  return index;
}

Masks CellArchive::masks_of(Way way) const {
  Masks masks;
  for (int node = way.node; node >= 0; node = nodes_[node].parent) {
    masks.push_back(nodes_[node].buttons);
  }
  std::reverse(masks.begin(), masks.end());
  return masks;
}

void CellArchive::set_choices(int index, std::uint64_t choices) {
  queue_.erase({priorities_[index], index});
  priorities_[index] = choices << kTieBits | random_.next() >> kTieBits;
  queue_.insert({priorities_[index], index});
}

}  // namespace nes
