#include "services/ctl/output/progress_bar.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_format.h"

namespace entrepot::ctl {
namespace {

constexpr size_t kBarWidth = 20;

}  // namespace

std::string ProgressBar(uint64_t done, uint64_t all) {
  const double share = all == 0 ? 0 : static_cast<double>(done) / static_cast<double>(all);
  const uint64_t percent = static_cast<uint64_t>(std::min(share, 1.0) * 100);
  const size_t filled = percent * kBarWidth / 100;
  std::string bar(filled, '=');
  if (filled < kBarWidth) bar += '>';
  bar.resize(kBarWidth, ' ');
  return absl::StrFormat("[%s] %3d %%", bar, percent);
}

}  // namespace entrepot::ctl
